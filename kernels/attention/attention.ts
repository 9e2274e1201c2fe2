import type { RaggedBatch } from '../../runtime/batch.ts'
import type { Operation, Scope } from '../../runtime/device.ts'
import { sizeOf } from '../../runtime/shape.ts'
import { expectTensor, type Tensor } from '../../runtime/tensor.ts'

/** A ragged batch as attention needs it: on the host, to share out the work, and on the device. */
export interface DeviceBatch {
  readonly host: RaggedBatch
  /** (sequences + 1), i32 */
  readonly offsets: Tensor
  /** (tokens), i32 */
  readonly positions: Tensor
}

/**
 * Within each sequence and head: y[i] = Σⱼ softmaxⱼ(scale · q[i]·k[j] - slope · |position i - position j|) v[j], over all j (no
 * causal mask). Nothing of size tokens × tokens is ever held. Vaswani et al., 2017; ALiBi: Press, Smith, Lewis, 2022.
 */
export interface AttentionParameters {
  /** (tokens, 3 · heads · headDim): q, then k, then v; head h is columns h·headDim … of each */
  readonly qkv: Tensor
  readonly batch: DeviceBatch
  readonly heads: number
  readonly scale: number
  /** (heads): ALiBi; without it no position enters */
  readonly slopes?: Tensor | undefined
  /** (tokens, heads · headDim) */
  readonly y: Tensor
}

export const attentionOperation: Operation<AttentionParameters> = {
  name: 'attention',
  validate({ qkv, batch, heads, slopes, y }) {
    const [tokens = 0, hidden = 0] = y.shape
    expectTensor('attention y', y, [tokens, Math.floor(hidden / heads) * heads], 'f32')
    expectTensor('attention qkv', qkv, [tokens, 3 * hidden], 'f32')
    expectTensor('attention offsets', batch.offsets, [batch.host.sequences + 1], 'i32')
    expectTensor('attention positions', batch.positions, [tokens], 'i32')
    if (slopes) expectTensor('attention slopes', slopes, [heads], 'f32')
  },
  reads: ({ qkv, batch, slopes }) => [qkv, batch.offsets, batch.positions, ...(slopes ? [slopes] : [])],
  writes: ({ y }) => [y],
  flops: ({ batch, y }) => 4 * (y.shape[1] ?? 0) * sumOfSquares(batch.host),
  bytes: ({ qkv, y }) => 4 * (sizeOf(qkv.shape) + sizeOf(y.shape)),
}

/** Σ length² over the sequences */
function sumOfSquares({ offsets, sequences }: RaggedBatch): number {
  let sum = 0
  for (let s = 0; s < sequences; s++) sum += (offsets[s + 1]! - offsets[s]!) ** 2
  return sum
}

/** qkv: (tokens, 3 · hidden) → (tokens, hidden) */
export function attention(scope: Scope, parameters: Omit<AttentionParameters, 'y'>): Tensor {
  const [tokens = 0, columns = 0] = parameters.qkv.shape
  const y = scope.scratch('attention', [tokens, columns / 3])
  scope.record(attentionOperation, { ...parameters, y })
  return y
}
