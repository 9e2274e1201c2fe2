import type { AttentionData } from '../../kernels/attention/cases.ts'
import { randomIndices, randomValues } from '../../kernels/case.ts'
import { equalBatch, type RaggedBatch, raggedBatch } from '../../runtime/batch.ts'

// One long text each, for what leaves keys out (docs/operations/attention.md).

export const heads = 4
export const headDim = 8
export const hidden = heads * headDim
const slopes = Float32Array.of(2, 1 / 4, 1 / 32, 1 / 128)
const scale = 1 / Math.sqrt(headDim)

/** Changes a token's q, k and v, each (heads · headDim), in place. */
type Change = (token: number, q: Float32Array, k: Float32Array, v: Float32Array) => void

export function example(batch: RaggedBatch, change: Change = () => {}): AttentionData {
  const qkv = randomValues('attention on wasm', batch.tokens * 3 * hidden)
  for (let i = 0; i < batch.tokens; i++) {
    const part = (p: number) => qkv.subarray((3 * i + p) * hidden, (3 * i + p + 1) * hidden)
    change(i, part(0), part(1), part(2))
  }
  return { batch, heads, headDim, qkv, scale, slopes }
}

export const one = (tokens: number) => equalBatch(1, tokens)

function withHoles(tokens: number): RaggedBatch {
  let position = 0
  return raggedBatch([
    randomIndices('holes', tokens, 9).map((gap) => {
      position += 1 + gap
      return position
    }),
  ])
}

function multiply(x: Float32Array, factor: number): void {
  for (let d = 0; d < x.length; d++) x[d]! *= factor
}

/** Where a wrong bound would show. */
export const adversarial: Readonly<Record<string, () => AttentionData>> = {
  'random numbers': () => example(one(1000)),
  'a last block of one key': () => example(one(193)),
  'two sequences': () => example(equalBatch(2, 300)),
  'positions with holes': () => example(withHoles(600)),
  'huge norms': () =>
    example(one(700), (_, q, k) => {
      multiply(q, 40)
      multiply(k, 40)
    }),
  'small norms': () =>
    example(one(700), (_, q, k) => {
      multiply(q, 0.01)
      multiply(k, 0.01)
    }),
  'squares of q vanish, of k overflow': () =>
    example(one(700), (_, q, k) => {
      multiply(q, 1e-25)
      multiply(k, 1e25)
    }),
  'squares of q overflow, of k vanish': () =>
    example(one(700), (_, q, k) => {
      multiply(q, 1e25)
      multiply(k, 1e-25)
    }),
  'equal scores': () =>
    example(one(700), (_, _q, k) => {
      k.fill(0.5)
    }),
  'no scores': () =>
    example(one(700), (_, q) => {
      q.fill(0)
    }),
  'one far key that every token looks at': () =>
    example(one(900), (i, q, k) => {
      q.fill(1)
      if (i === 880) k.fill(900)
    }),
  'a far end that outweighs its distance': () =>
    example(one(900), (i, q, k) => {
      q.fill(1)
      k.fill(i < 64 ? 900 : 0)
    }),
  'norms and values of all sizes': () =>
    example(one(900), (i, _, k, v) => {
      multiply(k, 10 ** ((i % 7) - 5))
      multiply(v, 10 ** ((i % 11) - 5))
    }),
  'a value of 1e6 far away': () => example(one(900), farValue(1e6)),
  'a value of 1e12 far away': () => example(one(900), farValue(1e12)),
  'a value of 1e36 far away': () => example(one(900), farValue(1e36)),
  'a far end of values 1e7 times the others': () => example(one(700), nearValues(1e-7)),
  'a far end of values 1e20 times the others': () => example(one(700), nearValues(1e-20)),
  'no values but at the far end': () => example(one(700), nearValues(0)),
  'no values': () =>
    example(one(400), (_, _q, _k, v) => {
      v.fill(0)
    }),
  'values that cancel from token to token': () =>
    example(one(700), (i, _, k, v) => {
      k.fill(0)
      v.fill(i % 2 === 0 ? 1 : -1)
    }),
  'values that cancel from block to block, large ones before': () =>
    example(one(700), (i, q, k, v) => {
      q.fill(1)
      k.fill((i * slopes[1]!) / (headDim * scale)) // for head 1 every later key weighs the same
      v.fill(i < 64 ? 1e4 : i % 128 < 64 ? 1 : -1)
    }),
}

function farValue(value: number): Change {
  return (i, _q, _k, v) => {
    if (i === 850) v.fill(value)
  }
}

function nearValues(factor: number): Change {
  return (i, _q, _k, v) => {
    if (i < 600) multiply(v, factor)
  }
}

const withValue =
  (token: number, part: 0 | 1 | 2, value: number): Change =>
  (i, ...parts) => {
    if (i === token) parts[part][headDim] = value // column 0 of head 1
  }

export const nonFinite: Readonly<Record<string, () => AttentionData>> = {
  'NaN in a far v': () => example(one(600), withValue(599, 2, Number.NaN)),
  'infinity in a far v': () => example(one(600), withValue(599, 2, Number.POSITIVE_INFINITY)),
  '-infinity in a far v': () => example(one(600), withValue(0, 2, Number.NEGATIVE_INFINITY)),
  'NaN in a far k': () => example(one(600), withValue(599, 1, Number.NaN)),
  'NaN in a q': () => example(one(600), withValue(300, 0, Number.NaN)),
  'infinity in a far k': () => example(one(600), withValue(0, 1, Number.POSITIVE_INFINITY)),
  'every key at -infinity but the last': () =>
    example(one(300), (i, q, k) => {
      q[headDim] = 1
      if (i < 299) k[headDim] = Number.NEGATIVE_INFINITY
    }),
}

/** The same with the absolute values of v: what roundings of the sums are measured against. */
export function withAbsoluteValues(qkv: Float32Array): Float32Array {
  return qkv.map((x, i) => (i % (3 * hidden) >= 2 * hidden ? Math.abs(x) : x))
}

/** The largest |component| of the head that begins at `at`. */
export function largest(y: Float32Array, at: number): number {
  return y.subarray(at, at + headDim).reduce((most, x) => Math.max(most, Math.abs(x)), 0)
}
