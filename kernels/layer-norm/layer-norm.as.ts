import { madd, param, paramF32 } from '../common.as'

/**
 * One unit is `rowsPerUnit` rows.
 * Parameters: x (rows, width), rows, width, rows per unit, weight, bias, epsilon (f32), y (rows, width), which may be x.
 */
export function layerNorm(parameters: usize, from: i32, to: i32): void {
  const x = param(parameters, 0)
  const rows = <i32>param(parameters, 1)
  const width = param(parameters, 2)
  const rowsPerUnit = <i32>param(parameters, 3)
  const weight = param(parameters, 4)
  const bias = param(parameters, 5)
  const epsilon = <f64>paramF32(parameters, 6)
  const y = param(parameters, 7)
  for (let row = from * rowsPerUnit, end = min(rows, to * rowsPerUnit); row < end; row++) {
    const at = <usize>row * (width << 2)
    normalizeRow(x + at, width, weight, bias, epsilon, y + at)
  }
}

/**
 * One row of `width` elements from x to y, which may be x. Mean, differences and variance in float64: rows far from zero and
 * constant rows keep their digits, and no square overflows.
 */
export function normalizeRow(x: usize, width: usize, weight: usize, bias: usize, epsilon: f64, y: usize): void {
  const whole = width & ~7
  let a = f64x2.splat(0)
  let b = a
  let c = a
  let d = a
  for (let i: usize = 0; i < whole; i += 8) {
    const place = x + (i << 2)
    a = f64x2.add(a, f64x2.promote_low_f32x4(v128.load64_zero(place)))
    b = f64x2.add(b, f64x2.promote_low_f32x4(v128.load64_zero(place, 8)))
    c = f64x2.add(c, f64x2.promote_low_f32x4(v128.load64_zero(place, 16)))
    d = f64x2.add(d, f64x2.promote_low_f32x4(v128.load64_zero(place, 24)))
  }
  let sum = sum2(f64x2.add(f64x2.add(a, b), f64x2.add(c, d)))
  for (let i = whole; i < width; i++) sum += <f64>load<f32>(x + (i << 2))
  const mean = sum / <f64>width

  const means = f64x2.splat(mean)
  a = b = c = d = f64x2.splat(0)
  for (let i: usize = 0; i < whole; i += 8) {
    const place = x + (i << 2)
    const p = f64x2.sub(f64x2.promote_low_f32x4(v128.load64_zero(place)), means)
    const q = f64x2.sub(f64x2.promote_low_f32x4(v128.load64_zero(place, 8)), means)
    const r = f64x2.sub(f64x2.promote_low_f32x4(v128.load64_zero(place, 16)), means)
    const s = f64x2.sub(f64x2.promote_low_f32x4(v128.load64_zero(place, 24)), means)
    a = f64x2.add(a, f64x2.mul(p, p))
    b = f64x2.add(b, f64x2.mul(q, q))
    c = f64x2.add(c, f64x2.mul(r, r))
    d = f64x2.add(d, f64x2.mul(s, s))
  }
  let squares = sum2(f64x2.add(f64x2.add(a, b), f64x2.add(c, d)))
  for (let i = whole; i < width; i++) {
    const difference = <f64>load<f32>(x + (i << 2)) - mean
    squares += difference * difference
  }
  const scale = 1.0 / sqrt<f64>(squares / <f64>width + epsilon)

  const scales = f64x2.splat(scale)
  let i: usize = 0
  for (; i + 4 <= width; i += 4) {
    const at = i << 2
    const low = f64x2.mul(f64x2.sub(f64x2.promote_low_f32x4(v128.load64_zero(x + at)), means), scales)
    const high = f64x2.mul(f64x2.sub(f64x2.promote_low_f32x4(v128.load64_zero(x + at, 8)), means), scales)
    const unit = v128.shuffle<f32>(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 1, 4, 5)
    v128.store(y + at, madd(unit, v128.load(weight + at), v128.load(bias + at)))
  }
  for (; i < width; i++) {
    const at = i << 2
    const unit = f32x4.splat(<f32>((<f64>load<f32>(x + at) - mean) * scale))
    v128.store32_lane(y + at, madd(unit, v128.load32_splat(weight + at), v128.load32_splat(bias + at)), 0)
  }
}

@inline
function sum2(x: v128): f64 {
  return f64x2.extract_lane(x, 0) + f64x2.extract_lane(x, 1)
}
