import { type Dtype, type DtypeArray, toF32 } from '../runtime/dtype.ts'
import { BareclipError } from '../runtime/errors.ts'
import { largestCode, notFinite, type Precision } from '../runtime/quantize.ts'

/** Where a piece of a tensor is from, for the text of an error. */
export interface Place {
  /** The file and the tensor. */
  readonly label: string
  /** Elements in a row. */
  readonly width: number
  /** Of the piece, in elements from the tensor's start. */
  readonly offset: number
}

const rowOf = ({ width, offset }: Place, index: number) => Math.floor((offset + index) / width)

/** From here on float16 rounds to infinity. */
const halfInfinity = 65520

/** Floats of a quantised model. Throws NOT_FINITE. */
export function requireFinite(from: Dtype, values: DtypeArray, place: Place): void {
  const floats = toF32(from, values)
  for (let i = 0; i < floats.length; i++) {
    if (!Number.isFinite(floats[i]!)) throw notFinite(place.label, rowOf(place, i))
  }
}

/** Floats that float16 is to hold; NaN and infinity pass. Throws NOT_FINITE where a number would become infinity. */
export function requireHalf(from: Dtype, values: DtypeArray, place: Place): void {
  if (from === 'f16') return
  const floats = toF32(from, values)
  for (let i = 0; i < floats.length; i++) {
    const value = floats[i]!
    if (Math.abs(value) < halfInfinity || !Number.isFinite(value)) continue
    const expected = 'float16 holds up to 65504; use dtype f32'
    throw new BareclipError('NOT_FINITE', `${place.label} has ${value} in row ${rowOf(place, i)}: ${expected}`)
  }
}

/** Scales of a stored matrix of codes. Throws NOT_FINITE, INVALID_SAFETENSORS. */
export function requireScales(scales: Float32Array, precision: Precision, place: Place): void {
  for (let i = 0; i < scales.length; i++) {
    const scale = scales[i]!
    if (scale >= 0 && scale < Number.POSITIVE_INFINITY) continue
    const row = rowOf(place, i)
    throw new BareclipError(
      scale < 0 && Number.isFinite(scale) ? 'INVALID_SAFETENSORS' : 'NOT_FINITE',
      `${place.label} has ${scale} in row ${row}: a scale of ${precision} is finite and not negative; ${again}`,
    )
  }
}

/** Codes of a stored matrix. Throws INVALID_SAFETENSORS. */
export function requireCodes(codes: Int8Array | Int16Array, precision: Precision, place: Place): void {
  const most = largestCode[precision]
  for (let i = 0; i < codes.length; i++) {
    if (Math.abs(codes[i]!) <= most) continue
    const expected = `codes of ${precision} go from -${most} to ${most}`
    throw new BareclipError(
      'INVALID_SAFETENSORS',
      `${place.label} has ${codes[i]} in row ${rowOf(place, i)}: ${expected}; ${again}`,
    )
  }
}

const again = 'write the file again with bareclip quantize'
