import { madd } from './common.as'

/**
 * What the functions below compute with, in memory: of a number in the code V8 makes a vector by three instructions wherever it
 * is used, of one in memory by one. GELU takes half the time so.
 */
const numbers: usize = memory.data<f32>([
  // exp4: 0 1 / ln 2, 1 1.5 · 2^23, 2 and 3 ln 2 in two pieces, 4 to 10 the polynomial, 11 and 12 its ends
  1.44269504088896341, 12582912, 0.693359375, -2.1219444e-4,
  1.98756915e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1, 1,
  -87.33654, 88.722835,
  // gelu4: 13 the end, 14 to 18 the numerator, 19 to 23 and 10 the denominator, 24 and 25 halves
  14,
  0.004077594580722321, 0.04037244920942789, 0.1824615175113676, 0.43725048392966626, 0.5000000027573669,
  0.010220885112629472, 0.10120553279291733, 0.4674282748418519, 1.19928942398825, 1.6723859231864515,
  0.5, -0.5
])

@inline
function number(i: usize): v128 {
  return v128.load32_splat(numbers + (i << 2))
}

/**
 * e^x per lane to 1.1 units in the last place: x = n·ln 2 + r in two pieces (Cody and Waite), a polynomial of degree 6 in r
 * (the coefficients of Cephes' expf, Stephen Moshier), n added to the exponent. Below -87.336 it is 0 (no subnormal numbers),
 * above 88.722 infinity; NaN stays NaN.
 */
@inline
export function exp4(x: v128): v128 {
  const shifted = madd(x, number(0), number(1)) // n in the last bits of 1.5 · 2^23 + n
  const n = f32x4.sub(shifted, number(1))
  let r = f32x4.sub(x, f32x4.mul(n, number(2)))
  r = f32x4.sub(r, f32x4.mul(n, number(3)))
  let p = madd(number(4), r, number(5))
  p = madd(p, r, number(6))
  p = madd(p, r, number(7))
  p = madd(p, r, number(8))
  p = madd(p, r, number(9))
  p = f32x4.add(madd(p, f32x4.mul(r, r), r), number(10))
  const power = i32x4.add(p, i32x4.shl(shifted, 23))
  const positive = v128.andnot(power, f32x4.lt(x, number(11)))
  return v128.bitselect(positive, f32x4.add(x, f32x4.splat(Infinity)), f32x4.le(x, number(12)))
}

/** x / (1 + e^-x) per lane to 2.5e-7 of it; -0 below -88.722, where the true value is above -2.7e-37 */
@inline
export function silu4(x: v128): v128 {
  return f32x4.div(x, f32x4.add(number(10), exp4(f32x4.neg(x))))
}

/**
 * x · ½ erfc(-x / √2) per lane to 3e-7 + 3e-8 x² of it (0 below -13.22, where the true value is above -5e-39), so to
 * 1.5e-7 |x|: max(x, 0) - a · ½ erfc(a / √2), a = |x|. The second term is e^(-a²/2) times a rational function of our own that
 * fits ½ erfc(a / √2) e^(a²/2) on [0, 14] to 5.6e-9 of it.
 */
@inline
export function gelu4(x: v128): v128 {
  const a = f32x4.abs(x)
  const t = f32x4.pmin(a, number(13))
  let p = madd(number(14), t, number(15))
  p = madd(p, t, number(16))
  p = madd(p, t, number(17))
  p = madd(p, t, number(18))
  let q = madd(number(19), t, number(20))
  q = madd(q, t, number(21))
  q = madd(q, t, number(22))
  q = madd(q, t, number(23))
  q = madd(q, t, number(10))
  const half = number(24)
  const e = exp4(f32x4.mul(f32x4.mul(t, t), number(25)))
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
