import type { ReferenceKernel } from '../../runtime/reference/kernel.ts'
import type { LayerNormParameters } from './layer-norm.ts'

export const layerNormReference: ReferenceKernel<LayerNormParameters> = ({ x, weight, bias, epsilon, y }, access) => {
  const [rows = 0, width = 0] = x.shape
  const xs = access.f32(x)
  const gain = access.f32(weight)
  const shift = access.f32(bias)
  const out = access.f32(y)
  return {
    units: rows,
    run(from, to) {
      for (let row = from; row < to; row++) {
        normalizeRow(xs, row * width, width, gain, shift, epsilon, out, row * width)
      }
    },
  }
}

/** One row of `width` elements from xs[start] to out[target]. */
export function normalizeRow(
  xs: Float32Array | Float64Array,
  start: number,
  width: number,
  gain: Float32Array,
  shift: Float32Array,
  epsilon: number,
  out: Float32Array,
  target: number,
): void {
  let sum = 0
  for (let i = 0; i < width; i++) sum += xs[start + i]!
  const mean = sum / width
  let squares = 0
  for (let i = 0; i < width; i++) squares += (xs[start + i]! - mean) ** 2
  const scale = 1 / Math.sqrt(squares / width + epsilon)
  for (let i = 0; i < width; i++) out[target + i] = (xs[start + i]! - mean) * scale * gain[i]! + shift[i]!
}
