/** gelu: x · ½(1 + erf(x / √2)), the exact form. silu: x / (1 + e^-x). */
export type Activation = 'gelu' | 'silu'

/** Rough cost of one activation, for flops formulas: the exponential dominates. */
export const activationFlops = 8

/** In float64. */
export function activate(kind: Activation, x: number): number {
  return kind === 'gelu' ? gelu(x) : silu(x)
}

/** ½·x·erfc(-x / √2): equal to the usual form, without its cancellation at large negative x. */
export function gelu(x: number): number {
  if (x === Number.NEGATIVE_INFINITY) return Number.NaN // -∞ · 0, as the formula says
  return 0.5 * x * erfc(-x * Math.SQRT1_2)
}

export function silu(x: number): number {
  return x / (1 + Math.exp(-x))
}

const erfP = [3.1611237438705655, 113.86415415105016, 377.485237685302, 3209.3775891384694, 0.18577770618460315]
const erfQ = [23.601290952344122, 244.02463793444417, 1282.6165260773723, 2844.236833439171]
const midP = [
  0.5641884969886701, 8.883149794388377, 66.11919063714163, 298.6351381974001, 881.952221241769, 1712.0476126340707,
  2051.0783778260716, 1230.3393547979972, 2.1531153547440383e-8,
]
const midQ = [
  15.744926110709835, 117.6939508913125, 537.1811018620099, 1621.3895745666903, 3290.7992357334597, 4362.619090143247,
  3439.3676741437216, 1230.3393548037495,
]
const tailP = [
  0.30532663496123236, 0.36034489994980445, 0.12578172611122926, 0.016083785148742275, 0.0006587491615298378,
  0.016315387137302097,
]
const tailQ = [2.568520192289822, 1.8729528499234604, 0.5279051029514285, 0.06051834131244132, 0.0023352049762686918]

/**
 * The complementary error function to about 1e-16 relative: W. J. Cody, "Rational Chebyshev approximations for the error
 * function", Mathematics of Computation 23 (1969).
 */
export function erfc(x: number): number {
  const y = Math.abs(x)
  if (Number.isNaN(x)) return x
  if (y <= 0.46875) {
    const z = y * y
    let numerator = erfP[4]! * z
    let denominator = z
    for (let i = 0; i < 3; i++) {
      numerator = (numerator + erfP[i]!) * z
      denominator = (denominator + erfQ[i]!) * z
    }
    return 1 - (x * (numerator + erfP[3]!)) / (denominator + erfQ[3]!)
  }
  const result = y > 26.6 ? 0 : expMinusSquare(y) * (y <= 4 ? middle(y) : tail(y))
  return x < 0 ? 2 - result : result
}

/** erfc(y)·e^(y²) for 0.46875 < y ≤ 4 */
function middle(y: number): number {
  let numerator = midP[8]! * y
  let denominator = y
  for (let i = 0; i < 7; i++) {
    numerator = (numerator + midP[i]!) * y
    denominator = (denominator + midQ[i]!) * y
  }
  return (numerator + midP[7]!) / (denominator + midQ[7]!)
}

/** erfc(y)·e^(y²) for y > 4 */
function tail(y: number): number {
  const z = 1 / (y * y)
  let numerator = tailP[5]! * z
  let denominator = z
  for (let i = 0; i < 4; i++) {
    numerator = (numerator + tailP[i]!) * z
    denominator = (denominator + tailQ[i]!) * z
  }
  const series = (z * (numerator + tailP[4]!)) / (denominator + tailQ[4]!)
  return (1 / Math.sqrt(Math.PI) - series) / y
}

/** e^(-y²) with y split at 1/16, so that the rounding of y² is not magnified. */
function expMinusSquare(y: number): number {
  const coarse = Math.trunc(y * 16) / 16
  return Math.exp(-coarse * coarse) * Math.exp(-(y - coarse) * (y + coarse))
}
