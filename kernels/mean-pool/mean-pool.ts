import type { RaggedBatch } from '../../runtime/batch.ts'
import type { Operation, Scope } from '../../runtime/device.ts'
import { BareclipError } from '../../runtime/errors.ts'
import { sizeOf } from '../../runtime/shape.ts'
import { expectTensor, type Tensor } from '../../runtime/tensor.ts'
import type { DeviceBatch } from '../attention/attention.ts'

/** y[s] = the mean of the first `count` tokens of sequence s, of all if it is undefined. count = 1 picks the class token. */
export interface MeanPoolParameters {
  /** (tokens, hidden) */
  readonly x: Tensor
  readonly batch: DeviceBatch
  readonly count?: number | undefined
  /** (sequences, hidden) */
  readonly y: Tensor
}

export const meanPoolOperation: Operation<MeanPoolParameters> = {
  name: 'mean-pool',
  validate({ x, batch, count, y }) {
    const [, hidden = 0] = x.shape
    expectTensor('mean-pool x', x, [batch.host.tokens, hidden], 'f32')
    expectTensor('mean-pool offsets', batch.offsets, [batch.host.sequences + 1], 'i32')
    expectTensor('mean-pool y', y, [batch.host.sequences, hidden], 'f32')
    for (let s = 0; s < batch.host.sequences; s++) {
      if (batch.host.offsets[s] === batch.host.offsets[s + 1]) {
        throw new BareclipError('SHAPE_MISMATCH', `mean-pool: sequence ${s} has no tokens: leave it out of the batch`)
      }
    }
    if (count !== undefined && !(Number.isInteger(count) && count > 0)) {
      throw new BareclipError('INVALID_ARGUMENT', `mean-pool count: expected a whole number from 1, found ${count}`)
    }
  },
  reads: ({ x, batch }) => [x, batch.offsets],
  writes: ({ y }) => [y],
  flops: ({ x, batch, count }) => pooledTokens(batch.host, count) * (x.shape[1] ?? 0),
  bytes: ({ x, batch, count, y }) => 4 * (pooledTokens(batch.host, count) * (x.shape[1] ?? 0) + sizeOf(y.shape)),
}

function pooledTokens(batch: RaggedBatch, count: number | undefined): number {
  if (count === undefined) return batch.tokens
  let tokens = 0
  for (let s = 0; s < batch.sequences; s++) tokens += Math.min(count, batch.offsets[s + 1]! - batch.offsets[s]!)
  return tokens
}

/** x: (tokens, hidden) → (sequences, hidden) */
export function meanPool(scope: Scope, x: Tensor, batch: DeviceBatch, count?: number): Tensor {
  const y = scope.scratch('mean-pool', [batch.host.sequences, x.shape[1] ?? 0])
  scope.record(meanPoolOperation, { x, batch, count, y })
  return y
}
