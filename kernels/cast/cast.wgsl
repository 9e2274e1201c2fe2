// One thread converts four elements. Everything is done on the bits: every conversion has one right answer, and devices may
// flush subnormal numbers or round otherwise where they compute with floats.
// Dtypes: 0 f32, 1 f16, 2 bf16, 3 i8, 4 i32; smaller ones share a word, the first in its lowest bits.

struct Parameters {
  size: u32,
  // dtype of x
  given: u32,
  // dtype of y
  wanted: u32,
}
@group(1) @binding(0) var<uniform> p: Parameters;

@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;

@compute @workgroup_size(256)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let first = ((workgroup.x + workgroup.y * workgroups.x) * 256u + thread) * 4u;
  if (first >= p.size) { return; }
  let bits = bitsOf(p.wanted);
  let end = min(p.size, first + 4u);
  // Word by word of y. Its last word may hold what is not y's: that stays.
  var word = 0u;
  var filled = 0u;
  for (var i = first; i < end; i++) {
    word |= (convert(load(i)) & maskOf(bits)) << filled;
    filled += bits;
    if (filled == 32u || i + 1u == end) {
      let place = i / (32u / bits);
      if (filled < 32u) { word |= y[place] & ~maskOf(filled); }
      y[place] = word;
      word = 0u;
      filled = 0u;
    }
  }
}

fn bitsOf(dtype: u32) -> u32 {
  if (dtype == 3u) { return 8u; }
  return select(32u, 16u, dtype == 1u || dtype == 2u);
}

// The lowest `bits` bits, 1 to 32.
fn maskOf(bits: u32) -> u32 {
  return 0xffffffffu >> (32u - bits);
}

// Element i of x, in the lowest bits.
fn load(i: u32) -> u32 {
  let bits = bitsOf(p.given);
  let perWord = 32u / bits;
  return (x[i / perWord] >> (i % perWord * bits)) & maskOf(bits);
}

fn convert(element: u32) -> u32 {
  if (p.given == p.wanted) { return element; }
  if (p.given >= 3u) { // integers
    let value = select(bitcast<i32>(element), bitcast<i32>(element << 24u) >> 24u, p.given == 3u);
    if (p.wanted >= 3u) { return encodeInteger(value); }
    return encodeFloat(fromInteger(value));
  }
  var float = element;
  if (p.given == 1u) { float = widenF16(element); }
  if (p.given == 2u) { float = element << 16u; }
  if (p.wanted >= 3u) { return encodeInteger(toInteger(float)); }
  return encodeFloat(float);
}

fn encodeInteger(value: i32) -> u32 {
  return bitcast<u32>(select(value, clamp(value, -128, 127), p.wanted == 3u));
}

// float32 bits to those of `wanted`
fn encodeFloat(float: u32) -> u32 {
  if (p.wanted == 1u) { return narrowToF16(float); }
  if (p.wanted == 2u) { return narrowToBf16(float); }
  return float;
}

// binary16 to float32, exactly
fn widenF16(half: u32) -> u32 {
  let sign = (half & 0x8000u) << 16u;
  let exponent = half & 0x7c00u;
  let fraction = half & 0x3ffu;
  if (exponent == 0x7c00u) { return sign | 0x7f800000u | (fraction << 13u); }
  if (exponent != 0u) { return sign | (((half & 0x7fffu) << 13u) + 0x38000000u); }
  if (fraction == 0u) { return sign; }
  let shift = 10u - firstLeadingBit(fraction);
  return sign | ((113u - shift) << 23u) | ((fraction << (shift + 13u)) & 0x7fffffu);
}

// float32 to the nearest binary16, ties to even; a NaN becomes a quiet one
fn narrowToF16(float: u32) -> u32 {
  let sign = (float >> 16u) & 0x8000u;
  let magnitude = float & 0x7fffffffu;
  if (magnitude > 0x7f800000u) { return sign | 0x7e00u | ((magnitude >> 13u) & 0x3ffu); }
  if (magnitude >= 0x477ff000u) { return sign | 0x7c00u; }
  if (magnitude >= 0x38800000u) {
    return sign | ((magnitude - 0x38000000u + 0xfffu + ((magnitude >> 13u) & 1u)) >> 13u);
  }
  let shift = 126u - (magnitude >> 23u); // the significand counts in units of 2^-24 after this shift
  if (shift > 24u) { return sign; }
  let significand = (magnitude & 0x7fffffu) | 0x800000u;
  return sign | ((significand + (1u << (shift - 1u)) - 1u + ((significand >> shift) & 1u)) >> shift);
}

// float32 to the nearest bfloat16, ties to even; a NaN becomes a quiet one
fn narrowToBf16(float: u32) -> u32 {
  if ((float & 0x7fffffffu) > 0x7f800000u) { return (float >> 16u) | 0x40u; }
  return (float + 0x7fffu + ((float >> 16u) & 1u)) >> 16u;
}

// float32 towards zero, saturating; NaN to 0
fn toInteger(float: u32) -> i32 {
  let magnitude = float & 0x7fffffffu;
  let exponent = magnitude >> 23u;
  let negative = float != magnitude;
  if (magnitude > 0x7f800000u || exponent < 127u) { return 0; }
  if (exponent >= 158u) { return select(0x7fffffff, bitcast<i32>(0x80000000u), negative); }
  let significand = (magnitude & 0x7fffffu) | 0x800000u;
  var value = 0u;
  if (exponent >= 150u) { value = significand << (exponent - 150u); } else { value = significand >> (150u - exponent); }
  return select(bitcast<i32>(value), -bitcast<i32>(value), negative);
}

// the nearest float32, ties to even
fn fromInteger(value: i32) -> u32 {
  if (value == 0) { return 0u; }
  let sign = bitcast<u32>(value) & 0x80000000u;
  let magnitude = bitcast<u32>(abs(value));
  let leading = firstLeadingBit(magnitude);
  let exponent = (leading + 127u) << 23u;
  if (leading <= 23u) { return sign | exponent | ((magnitude << (23u - leading)) & 0x7fffffu); }
  let shift = leading - 23u;
  let rest = magnitude & maskOf(shift);
  let half = 1u << (shift - 1u);
  let whole = magnitude >> shift;
  let up = select(0u, 1u, rest > half || (rest == half && (whole & 1u) == 1u));
  return sign | (exponent + (whole & 0x7fffffu) + up); // what overflows the fraction goes into the exponent
}
