import type { Operation, Scope } from '../../runtime/device.ts'
import { bytesPerElement } from '../../runtime/dtype.ts'
import { BareclipError } from '../../runtime/errors.ts'
import { scaleColumns } from '../../runtime/quantize.ts'
import { sizeOf } from '../../runtime/shape.ts'
import { expectTensor, type Tensor } from '../../runtime/tensor.ts'
import { type Activation, activationFlops } from '../activation.ts'

/**
 * y = f(x · weightᵀ + bias) + residual. Where the weight is integers, element (n, k) stands for weight · scale (n, ⌊k / 64⌋). With `gate` the weight has twice as many rows as y has columns and
 * y = gate(first half) ⊙ second half, before the residual. Each output is one sum over k in ascending order.
 * A device may round x to 14 bits and more of each row's largest magnitude where the weight is integers.
 */
export interface LinearParameters {
  /** (rows, in) */
  readonly x: Tensor
  /** matrix (out, in), (2·out, in) with a gate */
  readonly weight: Tensor
  /** Of an i8 or i16 weight: matrix (out, ⌈in / 64⌉), (2·out, ⌈in / 64⌉) with a gate, f32 */
  readonly scale?: Tensor | undefined
  /** (out), (2·out) with a gate */
  readonly bias?: Tensor | undefined
  /** Excludes `gate`. */
  readonly activation?: Activation | undefined
  readonly gate?: Activation | undefined
  /** (rows, out) */
  readonly residual?: Tensor | undefined
  /** (rows, out) */
  readonly y: Tensor
}

export const linearOperation: Operation<LinearParameters> = {
  name: 'linear',
  validate({ x, weight, scale, bias, activation, gate, residual, y }) {
    const [rows = 0, width = 0] = x.shape
    const [features = 0] = weight.shape
    const out = gate ? features / 2 : features
    expectTensor('linear x', x, [rows, width], 'f32')
    expectTensor(
      'linear weight',
      weight,
      [features, width],
      ...(scale ? (['i8', 'i16'] as const) : (['f32', 'f16', 'bf16'] as const)),
    )
    if (scale) expectTensor('linear scale', scale, [features, Math.ceil(width / scaleColumns)], 'f32')
    if (bias) expectTensor('linear bias', bias, [features], 'f32')
    if (gate && activation) {
      throw new BareclipError('INVALID_ARGUMENT', 'linear: expected an activation or a gate, found both: leave one out')
    }
    if (residual) expectTensor('linear residual', residual, [rows, out], 'f32')
    expectTensor('linear y', y, [rows, out], 'f32')
  },
  reads: ({ x, weight, scale, bias, residual }) => [x, weight, scale, bias, residual].filter((tensor) => !!tensor),
  writes: ({ y }) => [y],
  flops({ x, weight, activation, gate, y }) {
    return (
      2 * (x.shape[0] ?? 0) * sizeOf(weight.shape) +
      (activation ? activationFlops : gate ? activationFlops + 1 : 0) * sizeOf(y.shape)
    )
  },
  bytes({ x, weight, scale, residual, y }) {
    return (
      4 * (sizeOf(x.shape) + (scale ? sizeOf(scale.shape) : 0) + sizeOf(y.shape) * (residual ? 2 : 1)) +
      bytesPerElement[weight.dtype] * sizeOf(weight.shape)
    )
  },
}

/** A linear layer's weights. */
export interface Linear {
  /** matrix (out, in) */
  readonly weight: Tensor
  /** Of an i8 or i16 weight: matrix (out, ⌈in / 64⌉), f32 */
  readonly scale?: Tensor | undefined
  /** (out) */
  readonly bias?: Tensor | undefined
}

export interface LinearOptions {
  readonly activation?: Activation
  readonly gate?: Activation
  readonly residual?: Tensor
  /** Where to write instead of a new tensor. */
  readonly into?: Tensor
}

/** x: (rows, in) → (rows, out), out = half of the weight's rows with a gate */
export function linear(scope: Scope, x: Tensor, layer: Linear, options: LinearOptions = {}): Tensor {
  const { into, ...fused } = options
  const features = layer.weight.shape[0] ?? 0
  const y = into ?? scope.scratch('linear', [x.shape[0] ?? 0, fused.gate ? features / 2 : features])
  scope.record(linearOperation, { x, ...layer, ...fused, y })
  return y
}
