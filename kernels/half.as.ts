/**
 * Four binary16 values in the low half of `halves` as f32, exactly. Moved into f32's fields a half is 2^112 times too small;
 * the multiplication mends that, subnormals included; exponent 31 is then set apart for infinity and NaN.
 */
@inline
export function f16x4(halves: v128): v128 {
  const wide = i32x4.extend_low_i16x8_u(halves)
  const sign = i32x4.shl(v128.and(wide, i32x4.splat(0x8000)), 16)
  const magnitude = v128.and(wide, i32x4.splat(0x7fff))
  const scaled = f32x4.mul(i32x4.shl(magnitude, 13), f32x4.splat(5.192296858534828e33)) // 2^112
  const special = i32x4.gt_s(magnitude, i32x4.splat(0x7bff))
  const infinite = v128.or(i32x4.shl(magnitude, 13), i32x4.splat(0x7f800000))
  return v128.or(sign, v128.bitselect(infinite, scaled, special))
}

/**
 * Four f32 as binary16 in 32 bits each, to nearest, ties to even; from 65520 on infinity; a NaN becomes a quiet one. Below
 * 2^-14 an addition of ½, whose last place is 2^-24, does the rounding.
 */
@inline
export function toF16x4(bits: v128): v128 {
  const magnitude = v128.and(bits, i32x4.splat(0x7fffffff))
  const odd = v128.and(i32x4.shr_u(magnitude, 13), i32x4.splat(1))
  const normal = i32x4.shr_u(i32x4.add(i32x4.sub(magnitude, i32x4.splat(0x38000000 - 0xfff)), odd), 13)
  const small = i32x4.sub(f32x4.add(magnitude, f32x4.splat(0.5)), i32x4.splat(0x3f000000))
  const finite = v128.bitselect(small, normal, i32x4.lt_s(magnitude, i32x4.splat(0x38800000)))
  const payload = v128.and(i32x4.shr_u(magnitude, 13), i32x4.splat(0x3ff))
  const nan = v128.and(v128.or(payload, i32x4.splat(0x200)), i32x4.gt_s(magnitude, i32x4.splat(0x7f800000)))
  const special = v128.or(nan, i32x4.splat(0x7c00))
  const unsigned = v128.bitselect(special, finite, i32x4.gt_s(magnitude, i32x4.splat(0x477fefff)))
  return v128.or(unsigned, v128.and(i32x4.shr_u(bits, 16), i32x4.splat(0x8000)))
}

/** Four f32 as bfloat16 in 32 bits each, to nearest, ties to even; a NaN becomes a quiet one. */
@inline
export function toBf16x4(bits: v128): v128 {
  const odd = v128.and(i32x4.shr_u(bits, 16), i32x4.splat(1))
  const rounded = i32x4.shr_u(i32x4.add(i32x4.add(bits, i32x4.splat(0x7fff)), odd), 16)
  const quiet = v128.or(i32x4.shr_u(bits, 16), i32x4.splat(0x40))
  const nan = i32x4.gt_s(v128.and(bits, i32x4.splat(0x7fffffff)), i32x4.splat(0x7f800000))
  return v128.bitselect(quiet, rounded, nan)
}
