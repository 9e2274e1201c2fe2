import type { Operation, Scope } from '../../runtime/device.ts'
import { sizeOf } from '../../runtime/shape.ts'
import { expectTensor, type Tensor } from '../../runtime/tensor.ts'
import { type Activation, activationFlops } from '../activation.ts'

/**
 * y = activation(first half of x's columns) ⊙ second half (Shazeer, "GLU Variants Improve Transformer", 2020). What
 * `linear` does with `gate`, as a pass of its own.
 */
export interface GatedLinearUnitParameters {
  /** (rows, 2·width) */
  readonly x: Tensor
  readonly activation: Activation
  /** (rows, width) */
  readonly y: Tensor
}

export const gatedLinearUnitOperation: Operation<GatedLinearUnitParameters> = {
  name: 'gated-linear-unit',
  validate({ x, y }) {
    const [rows = 0, width = 0] = y.shape
    expectTensor('gated-linear-unit x', x, [rows, 2 * width], 'f32')
    expectTensor('gated-linear-unit y', y, [rows, width], 'f32')
  },
  reads: ({ x }) => [x],
  writes: ({ y }) => [y],
  flops: ({ y }) => (activationFlops + 1) * sizeOf(y.shape),
  bytes: ({ y }) => 12 * sizeOf(y.shape),
}

/** x: (rows, 2·width) → (rows, width) */
export function gatedLinearUnit(scope: Scope, x: Tensor, activation: Activation): Tensor {
  const y = scope.scratch('gated-linear-unit', [x.shape[0] ?? 0, (x.shape[1] ?? 0) / 2])
  scope.record(gatedLinearUnitOperation, { x, activation, y })
  return y
}
