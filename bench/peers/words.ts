import type { BenchCase } from '../cases.ts'

/** One token each in the vocabulary of the full-size model, with ids in this order. */
const words = (
  'born united film since still long work south us became any high again day family see right man eyes house season war ' +
  'states including took life north same each called name much place however go four group another found won area here going'
).split(' ')
const firstId = 2141
const [cls, sep] = [101, 102]

const wordAt = (text: number, i: number) => (text * 131 + i * 37) % words.length

/** A text of so many tokens for each of the case's, [CLS] and [SEP] counted. Needs lengths of 2 at least. */
export function peerTexts({ lengths }: BenchCase): string[] {
  return lengths.map((length, text) => Array.from({ length: length - 2 }, (_, i) => words[wordAt(text, i)]!).join(' '))
}

/** The ids of `peerTexts`. */
export function peerTokens({ lengths }: BenchCase): Int32Array[] {
  return lengths.map((length, text) =>
    Int32Array.from({ length }, (_, i) => {
      if (i === 0 || i === length - 1) return i === 0 ? cls : sep
      return firstId + wordAt(text, i - 1)
    }),
  )
}
