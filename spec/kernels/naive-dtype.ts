// What 16-bit floats and saturating integers mean, by arithmetic rather than by bits.

/** 1 sign, `exponentBits`, `fractionBits` → the number */
function decode(bits: number, exponentBits: number, fractionBits: number): number {
  const bias = 2 ** (exponentBits - 1) - 1
  const sign = bits >> (exponentBits + fractionBits) === 0 ? 1 : -1
  const exponent = (bits >> fractionBits) & (2 ** exponentBits - 1)
  const fraction = (bits & (2 ** fractionBits - 1)) / 2 ** fractionBits
  if (exponent === 2 ** exponentBits - 1) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN
  return sign * (exponent === 0 ? fraction * 2 ** (1 - bias) : (1 + fraction) * 2 ** (exponent - bias))
}

/** The nearest number of that form, ties to the even fraction; beyond the largest, infinity. */
function round(value: number, exponentBits: number, fractionBits: number): number {
  if (value === 0 || !Number.isFinite(value)) return value
  const bias = 2 ** (exponentBits - 1) - 1
  let exponent = 1 - bias
  while (Math.abs(value) >= 2 ** (exponent + 1)) exponent++
  const unit = 2 ** (exponent - fractionBits)
  const steps = Math.abs(value) / unit
  const below = Math.floor(steps)
  const up = steps - below > 0.5 || (steps - below === 0.5 && below % 2 === 1)
  const magnitude = (below + (up ? 1 : 0)) * unit
  return Math.sign(value) * (magnitude >= 2 ** (bias + 1) ? Number.POSITIVE_INFINITY : magnitude)
}

type Dtype = 'f32' | 'f16' | 'bf16' | 'i8' | 'i16' | 'i32'

/** Bits of exponent and fraction. */
const formats: Readonly<Record<'f16' | 'bf16', readonly [number, number]>> = { f16: [5, 10], bf16: [8, 7] }

/** The number that an element stands for. */
export function numberOf(dtype: Dtype, element: number): number {
  return dtype === 'f16' || dtype === 'bf16' ? decode(element, ...formats[dtype]) : element
}

/** The number that `value` becomes in a dtype. */
export function roundedTo(dtype: Dtype, value: number): number {
  switch (dtype) {
    case 'f32':
      return Math.fround(value)
    case 'f16':
    case 'bf16':
      return round(Math.fround(value), ...formats[dtype])
    case 'i8':
      return saturated(value, -128, 127)
    case 'i16':
      return saturated(value, -32768, 32767)
    case 'i32':
      return saturated(value, -2147483648, 2147483647)
  }
}

function saturated(value: number, low: number, high: number): number {
  if (Number.isNaN(value)) return 0
  if (value < low) return low
  return value > high ? high : value - (value % 1) + 0
}
