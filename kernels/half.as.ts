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
