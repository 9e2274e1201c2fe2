import { BareclipError } from './errors.ts'

/** Precisions of a whole model whose matrices are integers with a scale per 64 columns of a row. */
export type Precision = 'q8' | 'q12'

/** Columns of a row that share a scale; the last ones of a row may be fewer. */
export const scaleColumns = 64

/** Largest magnitude of a code: q8 is held in int8, q12 in int16. */
export const largestCode: Readonly<Record<Precision, number>> = { q8: 127, q12: 2047 }

export interface Quantized {
  /** (rows, width), Int8Array for q8, Int16Array for q12 */
  readonly codes: Int8Array | Int16Array
  /** (rows, ⌈width / 64⌉) */
  readonly scales: Float32Array
}

/** Scales of one row. */
export function scalesPerRow(width: number): number {
  return Math.ceil(width / scaleColumns)
}

/**
 * values: (rows, width) → codes and scales, value ≈ code · scale. The scale is the largest magnitude of its columns divided by
 * the largest code, in float32 (less where that times the code would round to infinity); a code is the nearest integer, ties to
 * even. Columns that are all zero, or so small that the scale is no normal float32, are codes 0 with scale 0.
 *
 * Throws NOT_FINITE; label, firstRow: the tensor and which of its rows comes first here, for the text.
 */
export function quantizeRows(
  values: Float32Array,
  width: number,
  precision: Precision,
  label: string,
  firstRow = 0,
): Quantized {
  const rows = width === 0 ? 0 : values.length / width
  const perRow = scalesPerRow(width)
  const largest = largestCode[precision]
  const codes = precision === 'q8' ? new Int8Array(values.length) : new Int16Array(values.length)
  const scales = new Float32Array(rows * perRow)
  for (let row = 0; row < rows; row++) {
    for (let block = 0; block < perRow; block++) {
      const start = row * width + block * scaleColumns
      const end = Math.min(start + scaleColumns, (row + 1) * width)
      let most = 0
      for (let i = start; i < end; i++) most = Math.max(most, Math.abs(values[i]!)) // NaN stays
      if (!Number.isFinite(most)) throw notFinite(label, firstRow + row)
      let scale = Math.fround(most / largest)
      if (Math.fround(scale * largest) === Number.POSITIVE_INFINITY) scale = Math.fround(scale * (1 - 2 ** -23))
      if (scale < smallestScale) continue
      scales[row * perRow + block] = scale
      for (let i = start; i < end; i++) codes[i] = nearestEven(values[i]! / scale)
    }
  }
  return { codes, scales }
}

/** For weights; label: the tensor. */
export function notFinite(label: string, row: number): BareclipError {
  return new BareclipError(
    'NOT_FINITE',
    `${label} has NaN or infinity in row ${row}: codes need finite weights; use dtype f32 or f16`,
  )
}

/** Smallest normal float32. */
const smallestScale = 2 ** -126

/** To the nearest integer, ties to even; exact for |x| < 2^51. Adding 1.5 · 2^52 leaves no bits for a fraction. */
function nearestEven(x: number): number {
  return x + 6755399441055744 - 6755399441055744
}

/** codes (rows, width) and scales (rows, ⌈width / 64⌉) → (rows, width), each product rounded to float32 */
export function dequantizeRows({ codes, scales }: Quantized, width: number): Float32Array {
  const perRow = scalesPerRow(width)
  const values = new Float32Array(codes.length)
  for (let i = 0; i < codes.length; i++) {
    const row = Math.floor(i / width)
    values[i] = codes[i]! * scales[row * perRow + Math.floor((i - row * width) / scaleColumns)]!
  }
  return values
}
