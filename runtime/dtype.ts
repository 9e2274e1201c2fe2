/** Element types that a tensor can be stored in. q8 and q12 are precisions of a whole model, not element types. */
export type Dtype = 'f32' | 'f16' | 'bf16' | 'i8' | 'i32'

/** f16 and bf16 are held as their bits: Float16Array is missing from Node 20. */
export type DtypeArray = Float32Array | Uint16Array | Int8Array | Int32Array

export const bytesPerElement: Readonly<Record<Dtype, number>> = { f32: 4, f16: 2, bf16: 2, i8: 1, i32: 4 }

const scratch = new ArrayBuffer(4)
const scratchFloat = new Float32Array(scratch)
const scratchBits = new Uint32Array(scratch)

function floatFromBits(bits: number): number {
  scratchBits[0] = bits
  return scratchFloat[0]!
}

function bitsFromFloat(value: number): number {
  scratchFloat[0] = value
  return scratchBits[0]!
}

/** IEEE binary16 bits to the value they stand for, exactly. A NaN keeps its payload's upper bits. */
export function f16ToF32(half: number): number {
  const sign = (half & 0x8000) << 16
  const exponent = (half >>> 10) & 0x1f
  const fraction = half & 0x3ff
  if (exponent === 0) return (sign < 0 ? -1 : 1) * fraction * 2 ** -24 // zero and subnormals
  if (exponent === 31) return floatFromBits(sign | 0x7f800000 | (fraction << 13))
  return floatFromBits(sign | ((exponent + 112) << 23) | (fraction << 13))
}

/** The nearest binary16, ties to even; from 65520 on infinity. `value` is first rounded to float32. */
export function f32ToF16(value: number): number {
  const bits = bitsFromFloat(value)
  const sign = (bits >>> 16) & 0x8000
  const magnitude = bits & 0x7fffffff
  if (magnitude > 0x7f800000) return sign | 0x7e00 | ((magnitude >>> 13) & 0x3ff) // NaN, made quiet
  if (magnitude >= 0x477ff000) return sign | 0x7c00 // 65520 and more
  if (magnitude < 0x38800000) {
    // Below 2^-14: adding 0.5 leaves the multiple of 2^-24, rounded to even, in the low bits of the sum.
    return sign | (bitsFromFloat(floatFromBits(magnitude) + 0.5) - 0x3f000000)
  }
  const odd = (magnitude >>> 13) & 1
  return sign | ((magnitude - 0x38000000 + 0xfff + odd) >>> 13)
}

/** bfloat16 is the upper half of a float32. */
export function bf16ToF32(bits: number): number {
  return floatFromBits(bits << 16)
}

/** The nearest bfloat16, ties to even. `value` is first rounded to float32. */
export function f32ToBf16(value: number): number {
  const bits = bitsFromFloat(value)
  if ((bits & 0x7fffffff) > 0x7f800000) return (bits >>> 16) | 0x40 // NaN, made quiet
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff
}

export function arrayOf(dtype: Dtype, length: number): DtypeArray {
  switch (dtype) {
    case 'f32':
      return new Float32Array(length)
    case 'i32':
      return new Int32Array(length)
    case 'i8':
      return new Int8Array(length)
    case 'f16':
    case 'bf16':
      return new Uint16Array(length)
  }
}

/** A typed view of little-endian bytes; copies where `bytes` is not aligned to the element size. */
export function viewOf(dtype: Dtype, bytes: Uint8Array): DtypeArray {
  const size = bytesPerElement[dtype]
  const aligned = bytes.byteOffset % size === 0 ? bytes : bytes.slice()
  const length = aligned.byteLength / size
  switch (dtype) {
    case 'f32':
      return new Float32Array(aligned.buffer, aligned.byteOffset, length)
    case 'i32':
      return new Int32Array(aligned.buffer, aligned.byteOffset, length)
    case 'i8':
      return new Int8Array(aligned.buffer, aligned.byteOffset, length)
    case 'f16':
    case 'bf16':
      return new Uint16Array(aligned.buffer, aligned.byteOffset, length)
  }
}

/**
 * Converts `source` (elements of dtype `from`) into `target` (elements of dtype `to`), same length. Floats to i32 and i8
 * truncate towards zero and saturate, NaN to 0, as WebAssembly's trunc_sat does.
 */
export function convert(from: Dtype, source: DtypeArray, to: Dtype, target: DtypeArray): void {
  if (from === to) {
    target.set(source)
    return
  }
  const decode = decoders[from]
  const encode = encoders[to]
  for (let i = 0; i < source.length; i++) target[i] = encode(decode(source[i]!))
}

/** As float32 values: the array itself if it is f32 already. */
export function toF32(from: Dtype, source: DtypeArray): Float32Array {
  if (source instanceof Float32Array) return source
  const target = new Float32Array(source.length)
  convert(from, source, 'f32', target)
  return target
}

const identity = (value: number) => value
const saturate = (low: number, high: number) => (value: number) =>
  Number.isNaN(value) ? 0 : Math.min(high, Math.max(low, Math.trunc(value)))

const decoders: Readonly<Record<Dtype, (element: number) => number>> = {
  f32: identity,
  i32: identity,
  i8: identity,
  f16: f16ToF32,
  bf16: bf16ToF32,
}

const encoders: Readonly<Record<Dtype, (value: number) => number>> = {
  f32: identity,
  i32: saturate(-(2 ** 31), 2 ** 31 - 1),
  i8: saturate(-128, 127),
  f16: f32ToF16,
  bf16: f32ToBf16,
}
