import type { Operation, Scope } from '../../runtime/device.ts'
import { sizeOf } from '../../runtime/shape.ts'
import { expectTensor, type Tensor } from '../../runtime/tensor.ts'

/**
 * Rotates adjacent pairs in place: (a, b) → (a·cos - b·sin, b·cos + a·sin), by the angle that belongs to the token's position
 * and the pair's place in its head (Su et al., "RoFormer", 2021; EVA-02 uses it in two dimensions). Only the first
 * `heads · headDim` columns turn: in a fused (q | k | v) tensor q and k with heads = 2 · the model's heads, but not v.
 */
export interface RotaryParameters {
  /** (tokens, columns), columns ≥ heads · headDim; changed in place */
  readonly x: Tensor
  readonly heads: number
  readonly headDim: number
  /** (tokens), i32: the row of the tables for each token */
  readonly positions: Tensor
  /** (table rows, headDim / 2) */
  readonly cos: Tensor
  /** (table rows, headDim / 2) */
  readonly sin: Tensor
}

export const rotaryOperation: Operation<RotaryParameters> = {
  name: 'rotary',
  validate({ x, heads, headDim, positions, cos, sin }) {
    const [tokens = 0, columns = 0] = x.shape
    expectTensor('rotary x', x, [tokens, Math.max(columns, heads * headDim)], 'f32')
    expectTensor('rotary positions', positions, [tokens], 'i32')
    expectTensor('rotary cos', cos, [cos.shape[0] ?? 0, headDim / 2], 'f32')
    expectTensor('rotary sin', sin, [cos.shape[0] ?? 0, headDim / 2], 'f32')
  },
  reads: ({ x, positions, cos, sin }) => [x, positions, cos, sin],
  writes: ({ x }) => [x],
  flops: ({ x, heads, headDim }) => 3 * (x.shape[0] ?? 0) * heads * headDim,
  bytes: ({ x, heads, headDim, cos }) => 8 * (x.shape[0] ?? 0) * heads * headDim + 8 * sizeOf(cos.shape),
}

/** x: (tokens, columns), changed in place */
export function rotary(scope: Scope, parameters: RotaryParameters): void {
  scope.record(rotaryOperation, parameters)
}
