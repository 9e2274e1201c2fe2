import type { Operation, Scope } from '../../runtime/device.ts'
import { bytesPerElement, type Dtype } from '../../runtime/dtype.ts'
import { sizeOf } from '../../runtime/shape.ts'
import { expectTensor, type Tensor } from '../../runtime/tensor.ts'

/** Codes of quantised weights are never cast. */
export type CastDtype = Exclude<Dtype, 'i16'>

const dtypes: readonly CastDtype[] = ['f32', 'f16', 'bf16', 'i8', 'i32']

/** y = x in another dtype: to nearest, ties to even; to integers towards zero, saturating, NaN to 0. */
export interface CastParameters {
  readonly x: Tensor
  /** The shape of x. */
  readonly y: Tensor
}

export const castOperation: Operation<CastParameters> = {
  name: 'cast',
  validate({ x, y }) {
    expectTensor('cast x', x, x.shape, ...dtypes)
    expectTensor('cast y', y, x.shape, ...dtypes)
  },
  reads: ({ x }) => [x],
  writes: ({ y }) => [y],
  flops: ({ x }) => sizeOf(x.shape),
  bytes: ({ x, y }) => (bytesPerElement[x.dtype] + bytesPerElement[y.dtype]) * sizeOf(x.shape),
}

/** x: any shape → the same shape */
export function cast(scope: Scope, x: Tensor, dtype: CastDtype): Tensor {
  const y = scope.scratch('cast', x.shape, dtype)
  scope.record(castOperation, { x, y })
  return y
}
