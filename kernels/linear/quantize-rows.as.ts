import { param } from '../common.as'

/** Smallest normal float32. */
const smallestScale: f32 = 1.1754943508222875e-38

/**
 * x (rows, width) → codes (⌈rows / 4⌉, ⌈width / 64⌉ · 32, 4, 2), int16: pairs of columns of four rows side by side, zeros after the
 * last column; rows after the last are not written. x ≈ code · scale of its row.
 * One unit is `rowsPerUnit` rows, a multiple of 4.
 * Parameters: x, rows, width, rowsPerUnit, limit (largest magnitude of a code), codes, scales (rows).
 */
export function quantizeRows(parameters: usize, from: i32, to: i32): void {
  const x = param(parameters, 0)
  const rows = <i32>param(parameters, 1)
  const width = param(parameters, 2)
  const rowsPerUnit = <i32>param(parameters, 3)
  const limit = <f32>(<i32>param(parameters, 4))
  const codes = param(parameters, 5)
  const scales = param(parameters, 6)
  const pairs = ((width + 63) >> 6) << 5
  for (let row = from * rowsPerUnit, end = min(rows, to * rowsPerUnit); row < end; row++) {
    const source = x + <usize>row * (width << 2)
    const target = codes + <usize>(row >> 2) * (pairs << 4) + (<usize>(row & 3) << 2)
    const scale = scaleOf(largestBits(source, width), limit)
    store<f32>(scales + (<usize>row << 2), scale)
    encodeRow(source, width, scale, target, pairs)
  }
}

/** The bits of the largest magnitude of `width` floats. As integers magnitudes are in order, infinity and NaN at the top. */
function largestBits(x: usize, width: usize): u32 {
  const mask = i32x4.splat(0x7fffffff)
  let most = i32x4.splat(0)
  const whole = width & ~3
  for (let i: usize = 0; i < whole; i += 4) most = i32x4.max_u(most, v128.and(v128.load(x + (i << 2)), mask))
  for (let i = whole; i < width; i++) most = i32x4.max_u(most, v128.and(v128.load32_zero(x + (i << 2)), mask))
  most = i32x4.max_u(most, i8x16.shuffle(most, most, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7))
  return max(<u32>i32x4.extract_lane(most, 0), <u32>i32x4.extract_lane(most, 1))
}

/**
 * The largest magnitude / limit, less where that times limit would round to infinity. NaN if there is NaN or infinity; 0 if the
 * row is zeros or so small that the scale would be no normal float32.
 */
@inline
function scaleOf(bits: u32, limit: f32): f32 {
  if (bits >= 0x7f800000) return NaN
  let scale = reinterpret<f32>(bits) / limit
  if (scale * limit == Infinity) scale *= 0.99999988079071045 // 1 - 2^-23
  return scale < smallestScale ? 0 : scale
}

/**
 * code = x / scale, rounded to float32, then to the nearest integer, ties to even: adding 1.5 · 2^23 leaves no bits for a
 * fraction. |code| ≤ limit: the largest |x| / scale is limit · (1 + 2^-21) at most, which is nearest to limit.
 * A scale of 0 or NaN gives codes 0.
 */
function encodeRow(x: usize, width: usize, scale: f32, target: usize, pairs: usize): void {
  const end = target + (pairs << 4)
  if (scale > 0) {
    const divisor = f32x4.splat(scale)
    const whole = width & ~3
    for (let i: usize = 0; i < whole; i += 4) {
      const codes = encode4(v128.load(x + (i << 2)), divisor)
      v128.store32_lane(target, codes, 0)
      v128.store32_lane(target, codes, 1, 16)
      target += 32
    }
    if (whole < width) {
      let rest = v128.load32_zero(x + (whole << 2))
      if (whole + 1 < width) rest = v128.load32_lane(x + (whole << 2), rest, 1, 4)
      if (whole + 2 < width) rest = v128.load32_lane(x + (whole << 2), rest, 2, 8)
      const codes = encode4(rest, divisor)
      v128.store32_lane(target, codes, 0)
      v128.store32_lane(target, codes, 1, 16)
      target += 32
    }
  }
  for (; target < end; target += 16) store<u32>(target, 0)
}

/** Four codes in the low half. */
@inline
function encode4(x: v128, divisor: v128): v128 {
  const magic = f32x4.splat(12582912)
  const codes = i32x4.sub(f32x4.add(f32x4.div(x, divisor), magic), magic)
  return i16x8.narrow_i32x4_s(codes, codes)
}
