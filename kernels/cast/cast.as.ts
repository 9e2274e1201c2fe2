import { param } from '../common.as'
import { f16x4, toBf16x4, toF16x4 } from '../half.as'

/** Elements in a unit. */
const block: usize = 16384

/**
 * One unit is `block` elements.
 * Parameters: x, its dtype (0 f32, 1 f16, 2 bf16, 3 i8, 4 i32), y, its dtype, length.
 */
export function cast(parameters: usize, from: i32, to: i32): void {
  const x = param(parameters, 0)
  const source = param(parameters, 1)
  const y = param(parameters, 2)
  const target = param(parameters, 3)
  const length = param(parameters, 4)
  let i = <usize>from * block
  const end = min(length, <usize>to * block)
  if (target == 0 && (source == 1 || source == 2)) {
    for (; i + 4 <= end; i += 4) {
      const halves = v128.load64_zero(x + (i << 1))
      v128.store(y + (i << 2), source == 1 ? f16x4(halves) : i32x4.shl(i32x4.extend_low_i16x8_u(halves), 16))
    }
  }
  if (source == 0 && (target == 1 || target == 2)) {
    for (; i + 8 <= end; i += 8) {
      const low = v128.load(x + (i << 2))
      const high = v128.load(x + (i << 2), 16)
      const halves =
        target == 1
          ? i16x8.narrow_i32x4_u(toF16x4(low), toF16x4(high))
          : i16x8.narrow_i32x4_u(toBf16x4(low), toBf16x4(high))
      v128.store(y + (i << 1), halves)
    }
  }
  if (source <= 2) {
    for (; i < end; i++) storeFloat(y, target, i, loadFloat(x, source, i))
  } else {
    for (; i < end; i++) storeInteger(y, target, i, source == 3 ? <i32>load<i8>(x + i) : load<i32>(x + (i << 2)))
  }
}

/** Element i as the bits of an f32, exactly; a NaN keeps its bits. */
@inline
function loadFloat(x: usize, dtype: usize, i: usize): u32 {
  if (dtype == 0) return load<u32>(x + (i << 2))
  if (dtype == 1) return i32x4.extract_lane(f16x4(v128.load16_splat(x + (i << 1))), 0)
  return <u32>load<u16>(x + (i << 1)) << 16
}

/** bits: of an f32. To integers towards zero, saturating, NaN to 0. */
@inline
function storeFloat(y: usize, dtype: usize, i: usize, bits: u32): void {
  if (dtype == 0) store<u32>(y + (i << 2), bits)
  else if (dtype == 1) store<u16>(y + (i << 1), narrowToF16(bits))
  else if (dtype == 2) store<u16>(y + (i << 1), narrowToBf16(bits))
  else storeWhole(y, dtype, i, truncate(bits))
}

/** Floats come from the nearest f32. */
@inline
function storeInteger(y: usize, dtype: usize, i: usize, value: i32): void {
  if (dtype > 2) storeWhole(y, dtype, i, value)
  else storeFloat(y, dtype, i, reinterpret<u32>(<f32>value))
}

/** i8 saturates. */
@inline
function storeWhole(y: usize, dtype: usize, i: usize, value: i32): void {
  if (dtype == 4) store<i32>(y + (i << 2), value)
  else store<i8>(y + i, <i8>min(127, max(-128, value)))
}

/** i32.trunc_sat_f32_s */
@inline
function truncate(bits: u32): i32 {
  return i32x4.extract_lane(i32x4.trunc_sat_f32x4_s(i32x4.splat(bits)), 0)
}

/** To nearest, ties to even; from 65520 on infinity; a NaN becomes a quiet one. */
function narrowToF16(bits: u32): u16 {
  const sign = (bits >> 16) & 0x8000
  const magnitude = bits & 0x7fffffff
  // from 2^-14 up to below 65520: rebias the exponent by -112 and round off 13 bits
  if (magnitude - 0x38800000 < 0x477ff000 - 0x38800000) {
    return <u16>(sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >> 13) & 1)) >> 13))
  }
  if (magnitude > 0x7f800000) return <u16>(sign | 0x7e00 | ((magnitude >> 13) & 0x3ff))
  if (magnitude > 0x38800000) return <u16>(sign | 0x7c00)
  const shift = 126 - (magnitude >> 23) // the significand counts in units of 2^-24 after this shift
  if (shift > 24) return <u16>sign // below 2^-25
  const significand = (magnitude & 0x7fffff) | 0x800000
  return <u16>(sign | ((significand + (1 << (shift - 1)) - 1 + ((significand >> shift) & 1)) >> shift))
}

/** To nearest, ties to even; a NaN becomes a quiet one. */
function narrowToBf16(bits: u32): u16 {
  if ((bits & 0x7fffffff) > 0x7f800000) return <u16>((bits >> 16) | 0x40)
  return <u16>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16)
}
