import { invariant } from './errors.ts'

/** Element types that a tensor can be stored in. q8 and q12 are precisions of a whole model, not element types. */
export type Dtype = 'f32' | 'f16' | 'bf16' | 'i8' | 'i16' | 'i32'

/** f16 and bf16 are held as their bits: Float16Array is missing from Node 20. */
export type DtypeArray = Float32Array | Uint16Array | Int8Array | Int16Array | Int32Array

export const bytesPerElement: Readonly<Record<Dtype, number>> = { f32: 4, f16: 2, bf16: 2, i8: 1, i16: 2, i32: 4 }

const scratch = new ArrayBuffer(4)
const scratchFloat = new Float32Array(scratch)
const scratchBits = new Int32Array(scratch)

function floatFromBits(bits: number): number {
  scratchBits[0] = bits
  return scratchFloat[0]!
}

function bitsFromFloat(value: number): number {
  scratchFloat[0] = value
  return scratchBits[0]!
}

/** binary16 bits to the bits of the float32 of the same value; a NaN keeps its sign and payload. */
function widenF16(half: number): number {
  const sign = (half & 0x8000) << 16
  const exponent = half & 0x7c00
  if (exponent !== 0 && exponent !== 0x7c00) return sign | (((half & 0x7fff) << 13) + 0x38000000) // 112 << 23
  const fraction = half & 0x3ff
  if (exponent !== 0) return sign | 0x7f800000 | (fraction << 13)
  if (fraction === 0) return sign
  const shift = Math.clz32(fraction) - 21 // brings the leading one to bit 10
  return sign | ((113 - shift) << 23) | ((fraction << (shift + 13)) & 0x7fffff)
}

/** float32 bits to the bits of the nearest binary16, ties to even; a NaN becomes a quiet one. */
function narrowToF16(bits: number): number {
  const sign = (bits >>> 16) & 0x8000
  const magnitude = bits & 0x7fffffff
  if (magnitude >= 0x38800000 && magnitude < 0x477ff000) {
    return sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13) // 2^-14 up to below 65520
  }
  if (magnitude > 0x7f800000) return sign | 0x7e00 | ((magnitude >>> 13) & 0x3ff)
  if (magnitude >= 0x477ff000) return sign | 0x7c00
  const shift = 126 - (magnitude >>> 23) // the significand counts in units of 2^-24 after this shift
  if (shift > 24) return sign // below 2^-25
  const significand = (magnitude & 0x7fffff) | 0x800000
  return sign | ((significand + (1 << (shift - 1)) - 1 + ((significand >>> shift) & 1)) >>> shift)
}

/** float32 bits to the bits of the nearest bfloat16, ties to even; a NaN becomes a quiet one. */
function narrowToBf16(bits: number): number {
  if ((bits & 0x7fffffff) > 0x7f800000) return (bits >>> 16) | 0x40
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff
}

/** IEEE binary16 bits to the value they stand for, exactly. */
export function f16ToF32(half: number): number {
  return floatFromBits(widenF16(half))
}

/** The nearest binary16, ties to even; from 65520 on infinity. `value` is first rounded to float32. */
export function f32ToF16(value: number): number {
  return narrowToF16(bitsFromFloat(value))
}

/** bfloat16 is the upper half of a float32. */
export function bf16ToF32(bits: number): number {
  return floatFromBits(bits << 16)
}

/** The nearest bfloat16, ties to even. `value` is first rounded to float32. */
export function f32ToBf16(value: number): number {
  return narrowToBf16(bitsFromFloat(value))
}

export function arrayOf(dtype: Dtype, length: number): DtypeArray {
  switch (dtype) {
    case 'f32':
      return new Float32Array(length)
    case 'i32':
      return new Int32Array(length)
    case 'i8':
      return new Int8Array(length)
    case 'i16':
      return new Int16Array(length)
    case 'f16':
    case 'bf16':
      return new Uint16Array(length)
  }
}

/** A typed view of little-endian bytes, a whole number of elements; copies where `bytes` is not aligned to the element size. */
export function viewOf(dtype: Dtype, bytes: Uint8Array): DtypeArray {
  const size = bytesPerElement[dtype]
  invariant(bytes.byteLength % size === 0, `${bytes.byteLength} bytes are no whole number of ${dtype} elements`)
  const aligned = bytes.byteOffset % size === 0 ? bytes : new Uint8Array(bytes) // slice() of a node Buffer is no copy
  const length = aligned.byteLength / size
  switch (dtype) {
    case 'f32':
      return new Float32Array(aligned.buffer, aligned.byteOffset, length)
    case 'i32':
      return new Int32Array(aligned.buffer, aligned.byteOffset, length)
    case 'i8':
      return new Int8Array(aligned.buffer, aligned.byteOffset, length)
    case 'i16':
      return new Int16Array(aligned.buffer, aligned.byteOffset, length)
    case 'f16':
    case 'bf16':
      return new Uint16Array(aligned.buffer, aligned.byteOffset, length)
  }
}

/**
 * Converts `source` (elements of dtype `from`) into `target` (elements of dtype `to`), same length. Floats to integers
 * truncate towards zero and saturate, NaN to 0, as WebAssembly's trunc_sat does; i32 to f16 and bf16 goes through
 * float32.
 */
export function convert(from: Dtype, source: DtypeArray, to: Dtype, target: DtypeArray): void {
  const { length } = source
  invariant(target.length === length, `convert of ${length} elements into ${target.length}`)
  if (from === to) {
    target.set(source)
  } else if (to === 'f32' && from === 'f16') {
    widenAllF16(halves(source), bitsOf(target))
  } else if (to === 'f32' && from === 'bf16') {
    widenAllBf16(halves(source), bitsOf(target))
  } else if (from === 'f32' && to === 'f16') {
    narrowAllToF16(bitsOf(source), halves(target))
  } else if (from === 'f32' && to === 'bf16') {
    narrowAllToBf16(bitsOf(source), halves(target))
  } else {
    const decode = decoders[from]
    const encode = encoders[to]
    for (let i = 0; i < length; i++) target[i] = encode(decode(source[i]!))
  }
}

// Weights of hundreds of megabytes pass here. V8 takes half the time when a loop handles four elements a turn and sees
// one kind of array only.

function widenAllF16(source: Uint16Array, target: Int32Array): void {
  widened ??= Int32Array.from({ length: 0x10000 }, (_, half) => widenF16(half))
  const table = widened
  const { length } = source
  let i = 0
  for (; i + 3 < length; i += 4) {
    target[i] = table[source[i]!]!
    target[i + 1] = table[source[i + 1]!]!
    target[i + 2] = table[source[i + 2]!]!
    target[i + 3] = table[source[i + 3]!]!
  }
  for (; i < length; i++) target[i] = table[source[i]!]!
}

/** widenF16 of every half, 256 KiB, built when first needed. */
let widened: Int32Array | undefined

function widenAllBf16(source: Uint16Array, target: Int32Array): void {
  const { length } = source
  let i = 0
  for (; i + 3 < length; i += 4) {
    target[i] = source[i]! << 16
    target[i + 1] = source[i + 1]! << 16
    target[i + 2] = source[i + 2]! << 16
    target[i + 3] = source[i + 3]! << 16
  }
  for (; i < length; i++) target[i] = source[i]! << 16
}

function narrowAllToF16(source: Int32Array, target: Uint16Array): void {
  for (let i = 0; i < source.length; i++) target[i] = narrowToF16(source[i]!)
}

function narrowAllToBf16(source: Int32Array, target: Uint16Array): void {
  for (let i = 0; i < source.length; i++) target[i] = narrowToBf16(source[i]!)
}

function halves(array: DtypeArray): Uint16Array {
  invariant(array instanceof Uint16Array, 'f16 and bf16 elements are held as bits in a Uint16Array')
  return array
}

/** The bits of float32 elements: integers keep NaNs as they are and convert without a detour over doubles. */
function bitsOf(array: DtypeArray): Int32Array {
  invariant(array instanceof Float32Array, 'f32 elements are held in a Float32Array')
  return new Int32Array(array.buffer, array.byteOffset, array.length)
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
  i16: identity,
  f16: f16ToF32,
  bf16: bf16ToF32,
}

const encoders: Readonly<Record<Dtype, (value: number) => number>> = {
  f32: identity,
  i32: saturate(-(2 ** 31), 2 ** 31 - 1),
  i8: saturate(-128, 127),
  i16: saturate(-32768, 32767),
  f16: f32ToF16,
  bf16: f32ToBf16,
}

/** `length` elements in place. Throws (a bug) unless the offset is a multiple of the element size. */
export function typedView(dtype: Dtype, buffer: ArrayBufferLike, byteOffset: number, length: number): DtypeArray {
  invariant(byteOffset % bytesPerElement[dtype] === 0, 'tensors are aligned to their elements')
  switch (dtype) {
    case 'f32':
      return new Float32Array(buffer, byteOffset, length)
    case 'i32':
      return new Int32Array(buffer, byteOffset, length)
    case 'i8':
      return new Int8Array(buffer, byteOffset, length)
    case 'i16':
      return new Int16Array(buffer, byteOffset, length)
    case 'f16':
    case 'bf16':
      return new Uint16Array(buffer, byteOffset, length)
  }
}
