import type { NormalizerSettings } from './settings.ts'
import { decompose, isIn, keptClass, lowerCase } from './unicode.ts'

/**
 * What a code point of the text does to the word being read. An action is an integer: kind in the low three bits, then
 * one bit that says that an added token may start here, then the code point (or the index of a sequence).
 */
export const kinds = {
  drop: 0, // nothing
  break: 1, // nothing, but marks are not reordered across it (a deleted mark of combining class 0)
  space: 2, // ends the word
  alone: 3, // ends the word and is one itself
  keep: 4, // joins the word
  mark: 5, // joins the word, in the order of combining classes
  sequence: 6, // several actions, one after the other
} as const

export const KIND = 7
export const STARTS_TOKEN = 8
export const KIND_AND_START = KIND | STARTS_TOKEN
export const PAYLOAD_SHIFT = 4

export interface Characters {
  /** The actions of code points 256 * page to 256 * page + 255, built when first asked for. */
  page(page: number): Int32Array
  readonly sequences: readonly (readonly number[])[]
}

/** `tokenStarts`: the first code points of added tokens. */
export function createCharacters(settings: NormalizerSettings, tokenStarts: ReadonlySet<number>): Characters {
  const pages: (Int32Array | undefined)[] = []
  const sequences: number[][] = []

  function actionsOf(point: number): number[] {
    if (settings.cleanText) {
      if (isIn('removed', point)) return []
      if (isIn('toSpace', point)) return [kinds.space]
    }
    const actions: number[] = []
    for (const part of settings.stripAccents ? decompose(point) : [point]) {
      if (settings.stripAccents && isIn('removedMarks', part)) {
        if (isIn('removedStarters', part)) actions.push(kinds.break)
        continue
      }
      const joined = settings.stripAccents && keptClass(part) > 0 ? kinds.mark : kinds.keep
      for (const final of settings.lowercase ? lowerCase(part) : [part]) {
        const kind = isIn('whitespace', final) ? kinds.space : isIn('punctuation', final) ? kinds.alone : joined
        actions.push(kind === kinds.space ? kind : kind | (final << PAYLOAD_SHIFT))
      }
    }
    const padded = settings.handleChineseChars && isIn('cjk', point)
    return padded ? [kinds.space, ...actions, kinds.space] : actions
  }

  function actionOf(point: number): number {
    const actions = actionsOf(point)
    const start = tokenStarts.has(point) ? STARTS_TOKEN : 0
    if (actions.length === 0) return kinds.drop | start
    if (actions.length === 1) return actions[0]! | start
    const [before, middle, after] = actions
    if (actions.length === 3 && before === kinds.space && (middle! & KIND) === kinds.keep && after === kinds.space) {
      return kinds.alone | start | (middle! & ~KIND)
    }
    sequences.push(actions)
    return kinds.sequence | start | ((sequences.length - 1) << PAYLOAD_SHIFT)
  }

  return {
    sequences,
    page(page) {
      pages[page] ??= Int32Array.from({ length: 256 }, (_, i) => actionOf(page * 256 + i))
      return pages[page]
    },
  }
}
