import { type Characters, KIND, kinds, PAYLOAD_SHIFT } from './characters.ts'
import type { Ids } from './ids.ts'
import type { TokenizerSettings } from './settings.ts'
import { createTrie, ROOT } from './trie.ts'
import { keptClass } from './unicode.ts'

/** Reads one word after another: code points in, the ids of its pieces out at its end. */
export interface WordReader {
  /** A code point joins the word. */
  keep(point: number): void
  /** The actions that are rarer. */
  act(action: number, ids: Ids): void
  /** The word is over; nothing happens if there is none. */
  end(ids: Ids): void
  /** Forgets a word that was not ended because an error came in between. */
  clear(): void
}

export function createWordReader(settings: TokenizerSettings, characters: Characters): WordReader {
  const trie = createTrie()
  for (const [word, id] of settings.vocabulary) trie.insert(word, id)
  const continuation = trie.insert(settings.continuingPrefix)
  const unknown = settings.vocabulary.get(settings.unknownToken)!

  const limit = settings.maxWordLength
  const points = new Int32Array(limit) // the word, as far as it counts
  const classes = new Uint8Array(limit) // combining classes, valid from marksStart to marksEnd
  let length = 0 // may pass the limit
  let marksStart = -1 // a run of marks that is still open if it ends where the word ends
  let marksEnd = -1

  function clear(): void {
    length = 0
    marksEnd = -1
  }

  function keep(point: number): void {
    if (length < limit) points[length] = point
    length++
  }

  /** Stable insertion by combining class into the run of marks at the word's end (canonical ordering). */
  function keepMark(point: number): void {
    if (marksEnd !== length) marksStart = length
    if (length < limit) {
      const combining = keptClass(point)
      let at = length
      for (; at > marksStart && classes[at - 1]! > combining; at--) {
        points[at] = points[at - 1]!
        classes[at] = classes[at - 1]!
      }
      points[at] = point
      classes[at] = combining
    }
    length++
    marksEnd = length
  }

  /** Greedy longest match; a word with an unmatched rest is unknown as a whole. */
  function match(ids: Ids): void {
    const before = ids.count
    let start = 0
    while (start < length) {
      let found = -1
      let end = start
      let node = start === 0 ? ROOT : continuation
      for (let i = start; i < length; i++) {
        node = trie.child(node, points[i]!)
        if (node === ROOT) break
        const id = trie.value(node)
        if (id >= 0) {
          found = id
          end = i + 1
        }
      }
      if (found < 0) {
        ids.count = before
        ids.push(unknown)
        return
      }
      ids.push(found)
      start = end
    }
  }

  function end(ids: Ids): void {
    if (length === 0) return
    if (length <= limit) match(ids)
    else ids.push(unknown)
    clear()
  }

  function act(action: number, ids: Ids): void {
    const payload = action >> PAYLOAD_SHIFT
    switch (action & KIND) {
      case kinds.keep:
        keep(payload)
        break
      case kinds.mark:
        keepMark(payload)
        break
      case kinds.break:
        marksEnd = -1
        break
      case kinds.space:
        end(ids)
        break
      case kinds.alone:
        end(ids)
        keep(payload)
        end(ids)
        break
      case kinds.sequence:
        for (const step of characters.sequences[payload]!) act(step, ids)
    }
  }

  return { keep, act, end, clear }
}
