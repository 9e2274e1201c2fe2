import type { BareclipError } from '../runtime/errors.ts'

/** Rows of one float32 vector each, in the order of the input. */
export interface Embeddings<Usage> {
  readonly rows: number
  /** Components of a row. */
  readonly dimensions: number
  /** (rows, dimensions), row-major */
  readonly data: Float32Array
  /** Row i as a view of `data`. Throws RangeError if there is no such row. */
  row(i: number): Float32Array
  /** Per row; undefined where the item failed. */
  readonly usage: readonly (Usage | undefined)[]
  /** By row; only with `onError: 'keep'`. Such a row is NaN. */
  readonly errors: ReadonlyMap<number, BareclipError>
}

export interface TextUsage {
  /** Tokens that were embedded, [CLS] and [SEP] included. */
  readonly tokens: number
  /** True if the text had more. */
  readonly truncated: boolean
}

export interface ImageUsage {
  /** Of the picture as it came, in pixels. */
  readonly width: number
  readonly height: number
  /** ⌈width / 224⌉ · ⌈height / 224⌉: what jina's hosted API counts (1000 tokens each). The model sees one square crop. */
  readonly tiles: number
}

/** Collects rows as they come; rows that never come are NaN. */
export function embeddingsBuilder<Usage>(rows: number, dimensions: number) {
  const data = new Float32Array(rows * dimensions).fill(Number.NaN)
  const usage: (Usage | undefined)[] = new Array(rows).fill(undefined)
  const errors = new Map<number, BareclipError>()
  const result: Embeddings<Usage> = {
    rows,
    dimensions,
    data,
    row(i) {
      if (!Number.isInteger(i) || i < 0 || i >= rows) throw new RangeError(`row ${i} of ${rows}`)
      return data.subarray(i * dimensions, (i + 1) * dimensions)
    },
    usage,
    errors,
  }
  return {
    result,
    set(row: number, vector: Float32Array, used: Usage) {
      data.set(vector, row * dimensions)
      usage[row] = used
    },
    fail(row: number, error: BareclipError) {
      errors.set(row, error)
    },
  }
}

/** x: (rows, width) → (rows, count), the first columns */
export function firstColumns(x: Float32Array, width: number, count: number): Float32Array {
  if (count === width) return x
  const rows = x.length / width
  const y = new Float32Array(rows * count)
  for (let row = 0; row < rows; row++) y.set(x.subarray(row * width, row * width + count), row * count)
  return y
}
