/**
 * Between a layer norm and the one matrix that multiplies its output y = weight · x + bias, column k can be scaled freely:
 * weight and bias divided by s[k], the matrix's column times s[k]. Codes share a scale over 64 columns, so a column whose y is
 * large needs its codes finer than the others. x has mean square 1, hence y about weight² + bias²; s[k] is the root of that,
 * rounded to a power of two, so that nothing is rounded: the product is the same, the columns of y have one magnitude.
 * (Scaling between the two as in Xiao et al., "SmoothQuant", 2023, there for activations.)
 */
export function columnScales(weight: Float32Array, bias: Float32Array): Float32Array {
  return weight.map((gain, k) => nearestPower(gain * gain + bias[k]! * bias[k]!))
}

/** Beyond 2^±24 columns have no part in the result, or all of it. */
const farthest = 24

/** The power of two nearest to √square, in ratio. Taken from the bits: Math.log2 may differ between engines. */
function nearestPower(square: number): number {
  bits.setFloat64(0, square)
  const exponent = ((bits.getUint16(0) >> 4) & 0x7ff) - 1023
  return 2 ** Math.min(farthest, Math.max(-farthest, Math.floor((exponent + 1) / 2)))
}

const bits = new DataView(new ArrayBuffer(8))
