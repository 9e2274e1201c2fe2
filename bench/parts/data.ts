import { randomValues } from '../../kernels/case.ts'
import type { LayerNormItem, MatmulItem, SoftmaxItem } from './items.ts'

/** x (rows, width), w (features, width): the same numbers in every process. */
export function matmulData({ rows, width, features }: MatmulItem) {
  return {
    x: randomValues('x', rows * width),
    w: randomValues('w', features * width, 1 / Math.sqrt(width)),
  }
}

/** (rows, columns) → (columns, rows) */
export function transposed(values: Float32Array, columns: number): Float32Array {
  const rows = values.length / columns
  return Float32Array.from(values, (_, i) => values[(i % rows) * columns + Math.floor(i / rows)]!)
}

/** (tokens, 3 · heads · headDim): q, k, v */
export const softmaxData = ({ tokens, heads, headDim }: SoftmaxItem) =>
  randomValues('qkv', tokens * 3 * heads * headDim)

/** → q, k, v (heads, tokens, headDim) each */
export function splitHeads(qkv: Float32Array, { tokens, heads, headDim }: SoftmaxItem): Float32Array[] {
  const hidden = heads * headDim
  return [0, 1, 2].map((part) =>
    Float32Array.from({ length: tokens * hidden }, (_, i) => {
      const [head, token, d] = [Math.floor(i / (tokens * headDim)), Math.floor(i / headDim) % tokens, i % headDim]
      return qkv[token * 3 * hidden + part * hidden + head * headDim + d]!
    }),
  )
}

/** y (heads, tokens, headDim) → (tokens, heads · headDim) */
export function joinHeads(y: Float32Array, { tokens, heads, headDim }: SoftmaxItem): Float32Array {
  return Float32Array.from(y, (_, i) => {
    const [token, head, d] = [Math.floor(i / (heads * headDim)), Math.floor(i / headDim) % heads, i % headDim]
    return y[(head * tokens + token) * headDim + d]!
  })
}

export function layerNormData({ rows, width }: LayerNormItem) {
  return {
    x: randomValues('x', rows * width),
    weight: randomValues('weight', width),
    bias: randomValues('bias', width),
  }
}

export const epsilon = 1e-6

/** Of a tensor's bytes: another order gives another sum. */
export function checksum(bytes: Uint8Array): number {
  let sum = bytes.length
  for (const byte of bytes) sum = (Math.imul(sum, 31) + byte) | 0
  return sum
}

/** The ids of all texts, each text's behind its length. */
export const flat = (texts: readonly ArrayLike<number>[]): Int32Array =>
  Int32Array.from(texts.flatMap((ids) => [ids.length, ...Array.from(ids)]))
