import type { DeviceBatch } from '../kernels/attention/attention.ts'
import type { RaggedBatch } from '../runtime/batch.ts'
import type { Scope } from '../runtime/device.ts'
import { rowsOf, type Tensor } from '../runtime/tensor.ts'

/** Sees tensors inside a tower by name while it is recorded; to read one, make it an output of the scope. */
export type Trace = (name: string, tensor: Tensor) => void

export interface TextTower {
  readonly hidden: number
  readonly layers: number
  readonly heads: number
  /** Ids must be below this. */
  readonly vocabulary: number
  /** Tokens with this id are left out of the batch; they keep their place in the positions. */
  readonly padId: number
  /** ids: (tokens) → pooled (sequences, hidden), not normalised */
  record(scope: Scope, ids: Int32Array, batch: RaggedBatch, trace?: Trace): Tensor
}

export interface VisionTower {
  readonly hidden: number
  readonly layers: number
  readonly heads: number
  /** Width and height of the pixels, which are square. */
  readonly imageSize: number
  /** 1 + patches */
  readonly tokens: number
  /** pixels: (images, 3, imageSize, imageSize), normalised → pooled (images, hidden), not normalised */
  record(scope: Scope, pixels: Float32Array, images: number, trace?: Trace): Tensor
}

/** One model: one or two towers over one output space. */
export interface Model {
  readonly type: 'jina-clip' | 'jina-bert'
  readonly text: TextTower
  readonly vision: VisionTower | undefined
  /** exp(logit_scale): what cosines are multiplied with before a softmax. Known once the weights are loaded. */
  readonly temperature: () => number
  /** Components kept if the caller does not say: config's truncate_dim, or all. */
  readonly dimensions: number
}

/** The batch's offsets and positions as inputs of the scope. */
export function deviceBatch(scope: Scope, host: RaggedBatch): DeviceBatch {
  return {
    host,
    offsets: scope.input('offsets', 'i32', [host.sequences + 1], host.offsets),
    positions: scope.input('positions', 'i32', [host.tokens], host.positions),
  }
}

/** Rows of an MLP that are worked off together: bounds its scratch. A multiple of 64 (see rowsOf). */
const chunkRows = 1024

/** x: (rows, hidden) → (rows, hidden), chunk by chunk; `block` writes its result for some rows into `y`. */
export function inRowChunks(scope: Scope, x: Tensor, block: (x: Tensor, y: Tensor) => void): Tensor {
  const rows = x.shape[0] ?? 0
  if (rows === 0) return x
  const y = scope.scratch('mlp', x.shape)
  for (let from = 0; from < rows; from += chunkRows) {
    const to = Math.min(rows, from + chunkRows)
    block(rowsOf(x, from, to), rowsOf(y, from, to))
  }
  return y
}
