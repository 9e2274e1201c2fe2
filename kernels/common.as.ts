// Shared by the AssemblyScript kernels: compiled once without and once with relaxed SIMD.

/** a · b + c per lane: fused where relaxed SIMD is there and the processor has it, else rounded twice. */
@inline
export function madd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c)
  return f32x4.add(f32x4.mul(a, b), c)
}

/** Parameter i of a step as an integer or an address. */
@inline
export function param(parameters: usize, i: usize): usize {
  return load<u32>(parameters + (i << 2))
}

@inline
export function paramF32(parameters: usize, i: usize): f32 {
  return load<f32>(parameters + (i << 2))
}

/** Per thread, 1 MiB, 64-byte aligned; the host sets it on each instance. */
let scratch: usize = 0

export function setScratch(address: usize): void {
  scratch = address
}

@inline
export function scratchAddress(): usize {
  return scratch
}

/** The sum of the four lanes, in a fixed order. */
@inline
export function sum4(x: v128): f32 {
  return (
    f32x4.extract_lane(x, 0) + f32x4.extract_lane(x, 2) + (f32x4.extract_lane(x, 1) + f32x4.extract_lane(x, 3))
  )
}
