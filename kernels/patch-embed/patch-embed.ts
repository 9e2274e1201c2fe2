import type { Operation, Scope } from '../../runtime/device.ts'
import { bytesPerElement } from '../../runtime/dtype.ts'
import { sizeOf } from '../../runtime/shape.ts'
import { expectTensor, type Tensor } from '../../runtime/tensor.ts'

/**
 * Pixels to tokens: token 0 of each image is the class token, token 1 + grid·row + column the projection of one patch
 * (a convolution with stride = kernel = patch, no padding; what is left over at the right and bottom is not read); to each
 * its learned position is added (Dosovitskiy et al., "An Image is Worth 16x16 Words", 2021).
 */
export interface PatchEmbedParameters {
  /** (images, 3, size, size) */
  readonly pixels: Tensor
  readonly patch: number
  /** matrix (hidden, 3 · patch · patch) */
  readonly weight: Tensor
  /** (hidden) */
  readonly bias: Tensor
  /** (hidden) */
  readonly classToken: Tensor
  /** ((1 + grid²) · hidden), grid = floor(size / patch) */
  readonly position: Tensor
  /** (images · (1 + grid²), hidden) */
  readonly y: Tensor
}

export const patchEmbedOperation: Operation<PatchEmbedParameters> = {
  name: 'patch-embed',
  validate({ pixels, patch, weight, bias, classToken, position, y }) {
    const [images = 0, , size = 0] = pixels.shape
    const [hidden = 0] = weight.shape
    const tokens = 1 + Math.floor(size / patch) ** 2
    expectTensor('patch-embed pixels', pixels, [images, 3, size, size], 'f32')
    expectTensor('patch-embed weight', weight, [hidden, 3 * patch * patch], 'f32', 'f16', 'bf16')
    expectTensor('patch-embed bias', bias, [hidden], 'f32')
    expectTensor('patch-embed classToken', classToken, [hidden], 'f32')
    expectTensor('patch-embed position', position, [tokens * hidden], 'f32')
    expectTensor('patch-embed y', y, [images * tokens, hidden], 'f32')
  },
  reads: ({ pixels, weight, bias, classToken, position }) => [pixels, weight, bias, classToken, position],
  writes: ({ y }) => [y],
  flops: ({ pixels, weight, y }) => 2 * ((y.shape[0] ?? 0) - (pixels.shape[0] ?? 0)) * sizeOf(weight.shape),
  bytes: ({ pixels, weight, position, y }) =>
    4 * (sizeOf(pixels.shape) + sizeOf(position.shape) + sizeOf(y.shape)) +
    bytesPerElement[weight.dtype] * sizeOf(weight.shape),
}

/** pixels: (images, 3, size, size) → (images · (1 + grid²), hidden) */
export function patchEmbed(scope: Scope, parameters: Omit<PatchEmbedParameters, 'y'>): Tensor {
  const { pixels, patch, weight } = parameters
  const [images = 0, , size = 0] = pixels.shape
  const y = scope.scratch('patch-embed', [images * (1 + Math.floor(size / patch) ** 2), weight.shape[0] ?? 0])
  scope.record(patchEmbedOperation, { ...parameters, y })
  return y
}
