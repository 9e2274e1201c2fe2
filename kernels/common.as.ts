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

/**
 * e^x per lane to 1.1 units in the last place: x = n·ln 2 + r in two pieces (Cody and Waite), a polynomial of degree 6 in r
 * (the coefficients of Cephes' expf, Stephen Moshier), n added to the exponent. Below -87.336 it is 0 (no subnormal numbers),
 * above 88.722 infinity; NaN stays NaN.
 */
@inline
export function exp4(x: v128): v128 {
  const shifted = madd(x, f32x4.splat(1.44269504088896341), f32x4.splat(12582912)) // n in the last bits of 1.5 · 2^23 + n
  const n = f32x4.sub(shifted, f32x4.splat(12582912))
  let r = f32x4.sub(x, f32x4.mul(n, f32x4.splat(0.693359375)))
  r = f32x4.sub(r, f32x4.mul(n, f32x4.splat(-2.12194440e-4)))
  let p = madd(f32x4.splat(1.9875691500e-4), r, f32x4.splat(1.3981999507e-3))
  p = madd(p, r, f32x4.splat(8.3334519073e-3))
  p = madd(p, r, f32x4.splat(4.1665795894e-2))
  p = madd(p, r, f32x4.splat(1.6666665459e-1))
  p = madd(p, r, f32x4.splat(5.0000001201e-1))
  p = f32x4.add(madd(p, f32x4.mul(r, r), r), f32x4.splat(1))
  const power = i32x4.add(p, i32x4.shl(shifted, 23))
  const positive = v128.andnot(power, f32x4.lt(x, f32x4.splat(-87.33654)))
  return v128.bitselect(positive, f32x4.add(x, f32x4.splat(Infinity)), f32x4.le(x, f32x4.splat(88.722835)))
}

/** x / (1 + e^-x) per lane to 2.5e-7 of it; -0 below -88.722, where the true value is above -2.7e-37 */
@inline
export function silu4(x: v128): v128 {
  return f32x4.div(x, f32x4.add(f32x4.splat(1), exp4(f32x4.neg(x))))
}

/**
 * x · ½ erfc(-x / √2) per lane to 3e-7 + 3e-8 x² of it (0 below -13.22, where the true value is above -5e-39), so to
 * 1.5e-7 |x|: max(x, 0) - a · ½ erfc(a / √2), a = |x|. The second term is e^(-a²/2) times a rational function of our own that
 * fits ½ erfc(a / √2) e^(a²/2) on [0, 14] to 5.6e-9 of it.
 */
@inline
export function gelu4(x: v128): v128 {
  const a = f32x4.abs(x)
  const t = f32x4.pmin(a, f32x4.splat(14))
  let p = madd(f32x4.splat(0.004077594580722321), t, f32x4.splat(0.04037244920942789))
  p = madd(p, t, f32x4.splat(0.1824615175113676))
  p = madd(p, t, f32x4.splat(0.43725048392966626))
  p = madd(p, t, f32x4.splat(0.5000000027573669))
  let q = madd(f32x4.splat(0.010220885112629472), t, f32x4.splat(0.10120553279291733))
  q = madd(q, t, f32x4.splat(0.4674282748418519))
  q = madd(q, t, f32x4.splat(1.19928942398825))
  q = madd(q, t, f32x4.splat(1.6723859231864515))
  q = madd(q, t, f32x4.splat(1))
  const half = f32x4.splat(0.5)
  const e = exp4(f32x4.mul(f32x4.mul(t, t), f32x4.splat(-0.5)))
  const tail = f32x4.mul(f32x4.mul(t, e), f32x4.div(p, q))
  // ½x + ½a is max(x, 0), but NaN for NaN and -∞
  return f32x4.sub(f32x4.add(f32x4.mul(x, half), f32x4.mul(a, half)), tail)
}

/** activation: 1 GELU, 2 SiLU */
@inline
export function activate4(activation: usize, x: v128): v128 {
  if (activation == 1) return gelu4(x)
  if (activation == 2) return silu4(x)
  return x
}

/** The sum of the four lanes, in a fixed order. */
@inline
export function sum4(x: v128): f32 {
  return (
    f32x4.extract_lane(x, 0) + f32x4.extract_lane(x, 2) + (f32x4.extract_lane(x, 1) + f32x4.extract_lane(x, 3))
  )
}
