import { BareclipError } from '../runtime/errors.ts'

/** One call: texts by their lengths in tokens, or so many images. */
export interface BenchCase {
  readonly name: string
  /** Tokens of each text; empty for images. */
  readonly lengths: readonly number[]
  readonly images: number
}

const texts = (name: string, lengths: readonly number[]): BenchCase => ({ name, lengths, images: 0 })
const images = (count: number): BenchCase => ({ name: `image-${count}`, lengths: [], images: count })

/** What a stack that pads would compute for 32 texts of 8 … 256 tokens is 1.94 times what they hold. */
const mixed = Array.from({ length: 32 }, (_, i) => 8 + Math.round((i * 248) / 31))

export const benchCases: readonly BenchCase[] = [
  texts('1x16', [16]),
  texts('1x128', [128]),
  texts('1x512', [512]),
  texts('8x128', new Array(8).fill(128)),
  texts('32x32', new Array(32).fill(32)),
  texts('mixed', mixed),
  texts('1x2048', [2048]),
  texts('1x8192', [8192]),
  images(1),
  images(8),
]

/** Left out unless asked for by name: seconds to minutes each at full size. */
const long = ['1x2048', '1x8192']

export const defaultCases: readonly BenchCase[] = benchCases.filter(({ name }) => !long.includes(name))

/** names: as in the table, others of their kind (`4x1000`, `image-64`), or 'all'. Throws INVALID_ARGUMENT. */
export function casesNamed(names: readonly string[]): readonly BenchCase[] {
  if (names.includes('all')) return benchCases
  const others = [...new Set(names)].filter((name) => !benchCases.some((item) => item.name === name)).map(otherCase)
  const all = [...benchCases.filter(({ name }) => names.includes(name)), ...others]
  return [...all.filter((item) => item.images === 0), ...all.filter((item) => item.images > 0)]
}

function otherCase(name: string): BenchCase {
  const [, count, tokens] = /^([1-9]\d{0,3})x([1-9]\d{0,3})$/.exec(name) ?? []
  if (Number(tokens) <= 8192) return texts(name, new Array(Number(count)).fill(Number(tokens)))
  const [, pictures] = /^image-([1-9]\d{0,3})$/.exec(name) ?? []
  if (pictures !== undefined) return images(Number(pictures))
  const there = benchCases.map((item) => item.name).join(', ')
  throw new BareclipError('INVALID_ARGUMENT', `there is no case ${JSON.stringify(name)}; there are ${there}, all`)
}

export const tokensOf = ({ lengths }: BenchCase) => lengths.reduce((sum, length) => sum + length, 0)

/** Ids for each text, none of them padding, the same in every run. */
export function caseTokens(
  { lengths }: BenchCase,
  { vocabulary, padId }: { readonly vocabulary: number; readonly padId: number },
): { readonly tokens: Int32Array }[] {
  const id = (text: number, i: number) => (padId + 1 + ((text * 131 + i * 37) % (vocabulary - 1))) % vocabulary
  return lengths.map((length, text) => ({ tokens: Int32Array.from({ length }, (_, i) => id(text, i)) }))
}

/** Raw RGB pictures of the size that the tower wants, no two alike. */
export function caseImages({ images: count }: BenchCase, size: number) {
  return Array.from({ length: count }, (_, image) => ({
    data: Uint8Array.from({ length: 3 * size * size }, (_, i) => (i * 7 + (i >> 9) * 13 + image * 41) & 255),
    width: size,
    height: size,
  }))
}
