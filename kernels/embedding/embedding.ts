import type { Operation, Scope } from '../../runtime/device.ts'
import { bytesPerElement } from '../../runtime/dtype.ts'
import { sizeOf } from '../../runtime/shape.ts'
import { expectTensor, type Tensor } from '../../runtime/tensor.ts'

/**
 * y[t] = layerNorm(word[ids[t]] + type[0]). No position embedding, no scaling (BERT's embedding block as JinaBERT has it).
 * Ids are checked by whoever makes them: 0 ≤ id < vocabulary.
 */
export interface EmbeddingParameters {
  /** (tokens), i32 */
  readonly ids: Tensor
  /** table (vocabulary, hidden) */
  readonly word: Tensor
  /** table (types, hidden); row 0 is used */
  readonly type: Tensor
  /** (hidden) */
  readonly weight: Tensor
  /** (hidden) */
  readonly bias: Tensor
  readonly epsilon: number
  /** (tokens, hidden) */
  readonly y: Tensor
}

export const embeddingOperation: Operation<EmbeddingParameters> = {
  name: 'embedding',
  validate({ ids, word, type, weight, bias, y }) {
    const [tokens = 0] = ids.shape
    const [vocabulary = 0, hidden = 0] = word.shape
    expectTensor('embedding ids', ids, [tokens], 'i32')
    expectTensor('embedding word', word, [vocabulary, hidden], 'f32', 'f16', 'bf16')
    expectTensor('embedding type', type, [type.shape[0] ?? 0, hidden], 'f32', 'f16', 'bf16')
    expectTensor('embedding weight', weight, [hidden], 'f32')
    expectTensor('embedding bias', bias, [hidden], 'f32')
    expectTensor('embedding y', y, [tokens, hidden], 'f32')
  },
  reads: ({ ids, word, type, weight, bias }) => [ids, word, type, weight, bias],
  writes: ({ y }) => [y],
  flops: ({ y }) => 9 * sizeOf(y.shape),
  bytes: ({ word, y }) => (bytesPerElement[word.dtype] + 4) * sizeOf(y.shape),
}

/** ids: (tokens) → (tokens, hidden) */
export function embedding(scope: Scope, parameters: Omit<EmbeddingParameters, 'y'>): Tensor {
  const y = scope.scratch('embedding', [parameters.ids.shape[0] ?? 0, parameters.word.shape[1] ?? 0])
  scope.record(embeddingOperation, { ...parameters, y })
  return y
}
