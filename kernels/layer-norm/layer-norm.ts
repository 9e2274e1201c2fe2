import type { Operation, Scope } from '../../runtime/device.ts'
import { sizeOf } from '../../runtime/shape.ts'
import { expectTensor, type Tensor } from '../../runtime/tensor.ts'

/**
 * y = (x - mean) / √(variance + epsilon) · weight + bias over each row; the variance's divisor is the width, and it is
 * computed in a second pass from the differences to the mean (Ba, Kiros, Hinton, "Layer Normalization", 2016).
 */
export interface LayerNormParameters {
  /** (rows, width) */
  readonly x: Tensor
  /** (width) */
  readonly weight: Tensor
  /** (width) */
  readonly bias: Tensor
  readonly epsilon: number
  /** (rows, width); may be x itself */
  readonly y: Tensor
}

export const layerNormOperation: Operation<LayerNormParameters> = {
  name: 'layer-norm',
  validate({ x, weight, bias, y }) {
    const [rows = 0, width = 0] = x.shape
    expectTensor('layer-norm x', x, [rows, width], 'f32')
    expectTensor('layer-norm weight', weight, [width], 'f32')
    expectTensor('layer-norm bias', bias, [width], 'f32')
    expectTensor('layer-norm y', y, [rows, width], 'f32')
  },
  reads: ({ x, weight, bias }) => [x, weight, bias],
  writes: ({ y }) => [y],
  flops: ({ x }) => 8 * sizeOf(x.shape),
  bytes: ({ x }) => 8 * sizeOf(x.shape),
}

/** A layer norm's weights. */
export interface Norm {
  /** (width) */
  readonly weight: Tensor
  /** (width) */
  readonly bias: Tensor
  readonly epsilon: number
}

/** x: (rows, width) → (rows, width) */
export function layerNorm(scope: Scope, x: Tensor, norm: Norm): Tensor {
  const y = scope.scratch('layer-norm', x.shape)
  scope.record(layerNormOperation, { x, ...norm, y })
  return y
}
