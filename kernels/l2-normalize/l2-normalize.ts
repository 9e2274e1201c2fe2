import type { Operation, Scope } from '../../runtime/device.ts'
import { sizeOf } from '../../runtime/shape.ts'
import { expectTensor, type Tensor } from '../../runtime/tensor.ts'

/** y = x / max(‖x‖₂, 1e-12), where x is first cut to y's width. A row of zeros stays zeros. */
export interface L2NormalizeParameters {
  /** (rows, width) */
  readonly x: Tensor
  /** (rows, dimensions), dimensions ≤ width */
  readonly y: Tensor
}

export const l2NormalizeOperation: Operation<L2NormalizeParameters> = {
  name: 'l2-normalize',
  validate({ x, y }) {
    const [rows = 0, width = 0] = x.shape
    expectTensor('l2-normalize x', x, [rows, Math.max(width, y.shape[1] ?? 0)], 'f32')
    expectTensor('l2-normalize y', y, [rows, y.shape[1] ?? 0], 'f32')
  },
  reads: ({ x }) => [x],
  writes: ({ y }) => [y],
  flops: ({ y }) => 3 * sizeOf(y.shape),
  bytes: ({ y }) => 8 * sizeOf(y.shape),
}

/** x: (rows, width) → (rows, dimensions) */
export function l2Normalize(scope: Scope, x: Tensor, dimensions: number): Tensor {
  const y = scope.scratch('l2-normalize', [x.shape[0] ?? 0, dimensions])
  scope.record(l2NormalizeOperation, { x, y })
  return y
}
