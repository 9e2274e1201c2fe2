import { BareclipError, describe } from '../../runtime/errors.ts'
import { createCharacters, KIND_AND_START, kinds, PAYLOAD_SHIFT, STARTS_TOKEN } from './characters.ts'
import { createIds, type Ids } from './ids.ts'
import { readSettings } from './settings.ts'
import { createTrie, ROOT } from './trie.ts'
import { createWordReader } from './word-piece.ts'

export interface Tokenizer {
  /** The highest id + 1. */
  readonly vocabularySize: number
  readonly ids: {
    readonly pad: number
    readonly unknown: number
    readonly cls: number
    readonly sep: number
    readonly mask: number | undefined
  }
  /**
   * Ids with [CLS] and [SEP], of which the first maxTokens - 2 pieces are kept. `truncated`: something was cut.
   * `total`: what the whole text has, [CLS] and [SEP] included; for its sake the whole text is read, but what is cut is
   * never stored. Throws INVALID_INPUT if the text is no string, INVALID_ARGUMENT if maxTokens is no integer of at
   * least 2.
   */
  encode(text: string, options?: EncodeOptions): Encoding
  /** All pieces, without [CLS] and [SEP]. Throws INVALID_INPUT if the text is no string. */
  pieces(text: string): Int32Array
  /** The vocabulary entry of an id. */
  token(id: number): string | undefined
}

export interface EncodeOptions {
  readonly maxTokens?: number | undefined
}

export interface Encoding {
  readonly ids: Int32Array
  readonly truncated: boolean
  readonly total: number
}

/**
 * BERT WordPiece from a tokenizer.json (its text or the parsed object), piece for piece what Hugging Face's Rust
 * `tokenizers` makes of it, in time linear in the text. A lone surrogate is taken for U+FFFD. The `truncation` and
 * `padding` of the file are ignored. Throws INVALID_TOKENIZER if the file breaks the format, UNSUPPORTED_TOKENIZER if
 * it describes another kind of tokenizer; `name` stands in front of the message.
 */
export function createTokenizer(json: unknown, name = 'tokenizer.json'): Tokenizer {
  const settings = readSettings(json, name)
  const { vocabulary, addedTokens, tokens, cls, sep } = settings
  let vocabularySize = 0
  for (const id of tokens.keys()) vocabularySize = Math.max(vocabularySize, id + 1)
  const idOf = (token: string) => addedTokens.get(token) ?? vocabulary.get(token)
  const pad = idOf('[PAD]')
  if (pad === undefined) {
    throw new BareclipError('INVALID_TOKENIZER', `${name}: "[PAD]" must be in added_tokens or model.vocab, it is not`)
  }

  const added = createTrie()
  for (const [token, id] of addedTokens) added.insert(token, id)
  const characters = createCharacters(
    settings.normalizer,
    new Set(Array.from(addedTokens.keys(), (token) => token.codePointAt(0)!)),
  )
  const word = createWordReader(settings, characters)

  /** End of the longest added token that starts at an index, its id pushed; the index itself if none does. */
  function readAdded(text: string, start: number, ids: Ids): number {
    let found = -1
    let end = start
    let node = ROOT
    for (let i = start; i < text.length; i++) {
      const point = text.codePointAt(i)!
      node = added.child(node, point)
      if (node === ROOT) break
      if (point > 0xffff) i++
      if (added.value(node) >= 0) {
        found = added.value(node)
        end = i + 1
      }
    }
    if (found < 0) return start
    word.end(ids)
    ids.push(found)
    return end
  }

  function read(text: string, ids: Ids): Ids {
    if (typeof text !== 'string') {
      throw new BareclipError('INVALID_INPUT', `the text to tokenize must be a string, got ${describe(text)}`)
    }
    word.clear()
    const latin = characters.page(0)
    for (let i = 0; i < text.length; i++) {
      const start = i
      let action: number
      const unit = text.charCodeAt(i)
      if (unit < 256) action = latin[unit]!
      else {
        let point = text.codePointAt(i)!
        if (point > 0xffff) i++
        else if (point >= 0xd800 && point <= 0xdfff) point = 0xfffd
        action = characters.page(point >> 8)[point & 255]!
      }
      if ((action & KIND_AND_START) === kinds.keep) word.keep(action >> PAYLOAD_SHIFT)
      else {
        if (action & STARTS_TOKEN) {
          const end = readAdded(text, start, ids)
          if (end > start) {
            i = end - 1
            continue
          }
        }
        word.act(action, ids)
      }
    }
    word.end(ids)
    return ids
  }

  return {
    vocabularySize,
    ids: { pad, unknown: vocabulary.get(settings.unknownToken)!, cls: cls.id, sep: sep.id, mask: idOf('[MASK]') },
    encode(text, options = {}) {
      const { maxTokens } = options
      if (maxTokens !== undefined && (!Number.isInteger(maxTokens) || maxTokens < 2)) {
        throw new BareclipError(
          'INVALID_ARGUMENT',
          `maxTokens must be an integer of at least 2 ([CLS] and [SEP]), got ${describe(maxTokens)}`,
        )
      }
      const ids = read(text, createIds((maxTokens ?? Number.POSITIVE_INFINITY) - 2))
      const all = ids.toArray([cls.id], [sep.id])
      const total = ids.count + 2
      return { ids: all, truncated: total > all.length, total }
    },
    pieces: (text) => read(text, createIds(Number.POSITIVE_INFINITY)).toArray([], []),
    token: (id) => tokens.get(id),
  }
}
