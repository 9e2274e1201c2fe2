import type { ReferenceKernel } from '../../runtime/reference/kernel.ts'
import type { AttentionParameters } from './attention.ts'

/**
 * One unit is one query of one head: its scores against every key of the sequence are held (longest), never more. Queries of
 * a head follow each other, so that its keys and values stay in cache.
 */
export const attentionReference: ReferenceKernel<AttentionParameters> = (
  { qkv, batch, heads, scale, slopes, y },
  access,
) => {
  const [tokens = 0, hidden = 0] = y.shape
  const headDim = hidden / heads
  const xs = access.f32(qkv)
  const ys = access.f32(y)
  const offset = access.i32(batch.offsets)
  const position = access.i32(batch.positions)
  const slope = slopes && access.f32(slopes)
  const { sequences, longest } = batch.host
  const scores = new Float64Array(longest)
  const context = new Float64Array(headDim)
  let sequence = 0

  return {
    units: tokens * heads,
    run(from, to) {
      for (let unit = from; unit < to; unit++) {
        while (sequence > 0 && offset[sequence]! * heads > unit) sequence--
        while (sequence < sequences - 1 && offset[sequence + 1]! * heads <= unit) sequence++
        const first = offset[sequence]!
        const length = offset[sequence + 1]! - first
        const head = Math.floor((unit - first * heads) / length)
        const i = first + ((unit - first * heads) % length)
        const steepness = slope ? slope[head]! : 0
        const q = i * 3 * hidden + head * headDim
        const k = first * 3 * hidden + hidden + head * headDim
        products(xs, q, headDim, k, 3 * hidden, length, scores)
        for (let j = 0; j < length; j++) {
          scores[j] = scores[j]! * scale - steepness * Math.abs(position[i]! - position[first + j]!)
        }
        softmax(scores, length)
        combine(scores, length, xs, k + hidden, 3 * hidden, headDim, context)
        ys.set(context, i * hidden + head * headDim)
      }
    },
  }
}

/** scores[j] = q · k[j]; q: (headDim) from xs[q], k: (length, headDim) from xs[k], rows `stride` apart */
function products(
  xs: Float32Array,
  q: number,
  headDim: number,
  k: number,
  stride: number,
  length: number,
  scores: Float64Array,
): void {
  let j = 0
  for (; j + 3 < length; j += 4) {
    // four keys at once: four independent sums hide the latency of an addition
    const k0 = k + j * stride
    const k1 = k0 + stride
    const k2 = k1 + stride
    const k3 = k2 + stride
    let a = 0
    let b = 0
    let c = 0
    let e = 0
    for (let d = 0; d < headDim; d++) {
      const x = xs[q + d]!
      a += x * xs[k0 + d]!
      b += x * xs[k1 + d]!
      c += x * xs[k2 + d]!
      e += x * xs[k3 + d]!
    }
    scores[j] = a
    scores[j + 1] = b
    scores[j + 2] = c
    scores[j + 3] = e
  }
  for (; j < length; j++) {
    let sum = 0
    for (let d = 0; d < headDim; d++) sum += xs[q + d]! * xs[k + j * stride + d]!
    scores[j] = sum
  }
}

/** context = Σ shares[j] · v[j], ascending j; v: (length, headDim) from xs[v], rows `stride` apart */
function combine(
  shares: Float64Array,
  length: number,
  xs: Float32Array,
  v: number,
  stride: number,
  headDim: number,
  context: Float64Array,
): void {
  let d = 0
  for (; d + 3 < headDim; d += 4) {
    let a = 0
    let b = 0
    let c = 0
    let e = 0
    for (let j = 0; j < length; j++) {
      const share = shares[j]!
      const at = v + j * stride + d
      a += share * xs[at]!
      b += share * xs[at + 1]!
      c += share * xs[at + 2]!
      e += share * xs[at + 3]!
    }
    context[d] = a
    context[d + 1] = b
    context[d + 2] = c
    context[d + 3] = e
  }
  for (; d < headDim; d++) {
    let sum = 0
    for (let j = 0; j < length; j++) sum += shares[j]! * xs[v + j * stride + d]!
    context[d] = sum
  }
}

/** The first `length` elements become e^(x - max) / Σ e^(x - max), in place. */
export function softmax(xs: Float64Array, length: number): void {
  let max = Number.NEGATIVE_INFINITY
  for (let j = 0; j < length; j++) max = Math.max(max, xs[j]!)
  let sum = 0
  for (let j = 0; j < length; j++) {
    const e = Math.exp(xs[j]! - max)
    xs[j] = e
    sum += e
  }
  for (let j = 0; j < length; j++) xs[j]! /= sum
}
