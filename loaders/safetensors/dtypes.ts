import type { Dtype } from '../../runtime/dtype.ts'

/** Every element type that the format names (safetensors 0.8), in bits. */
export const bitsPerElement = {
  BOOL: 8,
  F4: 4,
  F6_E2M3: 6,
  F6_E3M2: 6,
  U8: 8,
  I8: 8,
  F8_E5M2: 8,
  F8_E4M3: 8,
  F8_E8M0: 8,
  F8_E4M3FNUZ: 8,
  F8_E5M2FNUZ: 8,
  I16: 16,
  U16: 16,
  F16: 16,
  BF16: 16,
  I32: 32,
  U32: 32,
  F32: 32,
  C64: 64,
  F64: 64,
  I64: 64,
  U64: 64,
} as const

export type SafetensorsDtype = keyof typeof bitsPerElement

export function isSafetensorsDtype(name: string): name is SafetensorsDtype {
  return Object.hasOwn(bitsPerElement, name)
}

/** Fewest bytes that hold a whole number of elements: 1 for F4 (2 elements), 3 for F6 (4 elements). */
export function unitBytes(dtype: SafetensorsDtype): number {
  const bits = bitsPerElement[dtype]
  return bits === 6 ? 3 : Math.max(1, bits / 8)
}

/** Undefined where so many elements are no whole number of bytes or pass 2^53 - 1, in elements or in bits. */
export function byteLength(dtype: SafetensorsDtype, shape: readonly number[]): number | undefined {
  if (shape.includes(0)) return 0
  let bits: number = bitsPerElement[dtype]
  for (const dimension of shape) {
    bits *= dimension
    if (bits > Number.MAX_SAFE_INTEGER) return undefined
  }
  return bits % 8 === 0 ? bits / 8 : undefined
}

/** The runtime's name of an element type that it can hold. */
export function runtimeDtype(dtype: SafetensorsDtype): Dtype | undefined {
  return runtimeDtypes[dtype]
}

const runtimeDtypes: Partial<Record<SafetensorsDtype, Dtype>> = {
  F32: 'f32',
  F16: 'f16',
  BF16: 'bf16',
  I8: 'i8',
  I16: 'i16',
  I32: 'i32',
}
