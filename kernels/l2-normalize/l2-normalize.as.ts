import { param } from '../common.as'

/**
 * One unit is `rowsPerUnit` rows: y = x / max(‖x‖, 1e-12) of the first `dimensions` columns, in float64 until the end.
 * Parameters: x (rows, width), rows, width, dimensions, rows per unit, y (rows, dimensions).
 */
export function l2Normalize(parameters: usize, from: i32, to: i32): void {
  const x = param(parameters, 0)
  const rows = <i32>param(parameters, 1)
  const width = param(parameters, 2)
  const dimensions = param(parameters, 3)
  const rowsPerUnit = <i32>param(parameters, 4)
  const y = param(parameters, 5)
  for (let row = from * rowsPerUnit, end = min(rows, to * rowsPerUnit); row < end; row++) {
    normalize(x + <usize>row * (width << 2), dimensions, y + <usize>row * (dimensions << 2))
  }
}

@inline
function normalize(x: usize, width: usize, y: usize): void {
  let a = f64x2.splat(0)
  let b = a
  let i: usize = 0
  for (; i + 4 <= width; i += 4) {
    const low = f64x2.promote_low_f32x4(v128.load64_zero(x + (i << 2)))
    const high = f64x2.promote_low_f32x4(v128.load64_zero(x + (i << 2), 8))
    a = f64x2.add(a, f64x2.mul(low, low))
    b = f64x2.add(b, f64x2.mul(high, high))
  }
  const both = f64x2.add(a, b)
  let squares = f64x2.extract_lane(both, 0) + f64x2.extract_lane(both, 1)
  for (; i < width; i++) {
    const value = <f64>load<f32>(x + (i << 2))
    squares += value * value
  }
  const norm = max<f64>(sqrt<f64>(squares), 1e-12)

  const norms = f64x2.splat(norm)
  for (i = 0; i + 2 <= width; i += 2) {
    const quotients = f64x2.div(f64x2.promote_low_f32x4(v128.load64_zero(x + (i << 2))), norms)
    v128.store64_lane(y + (i << 2), f32x4.demote_f64x2_zero(quotients), 0)
  }
  if (i < width) store<f32>(y + (i << 2), <f32>(<f64>load<f32>(x + (i << 2)) / norm))
}
