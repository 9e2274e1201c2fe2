import type { Case } from '../../../kernels/case.ts'

/** A case of the size that a model has, to be validated and timed. */
export interface BenchShape<Data = unknown> extends Pick<Case<Data>, 'operation' | 'name' | 'tolerance' | 'load'> {
  /** For `--shape`: the numbers alone, 512x768x3072. */
  readonly size: string
  readonly dtype: string
  /** Whether `--quick` runs it. */
  readonly quick: boolean
  data(): Data
  /**
   * Fewer rows that stand for all: row i of the result is row i modulo `rows` of the result of `data()`. All rows are compared
   * then, and the reference computes only these.
   */
  readonly distinct?: { readonly rows: number; data(): Data }
}

/** Rows of activations: a text of 16, 128, 512 tokens; an image, eight images. */
export const textRows: readonly number[] = [16, 128, 512]
export const imageTokens = 197
export const imageCounts: readonly number[] = [1, 8]

export const isQuickText = (tokens: number) => tokens === 128
export const isQuickImages = (images: number) => images === 1

/** Remembers the last value: shapes that share a weight follow each other. */
export function remembered<T>(): (key: string, make: () => T) => T {
  let last: { readonly key: string; readonly value: T } | undefined
  return (key, make) => {
    if (last?.key !== key) {
      last = undefined // before the next is made
      last = { key, value: make() }
    }
    return last.value
  }
}
