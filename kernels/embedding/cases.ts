import type { Dtype } from '../../runtime/dtype.ts'
import {
  type Case,
  type HostWeight,
  randomIndices,
  randomValues,
  randomWeight,
  type Tolerance,
  unitRoundoff,
  weightLoader,
} from '../case.ts'
import { type EmbeddingParameters, embeddingOperation } from './embedding.ts'

export interface EmbeddingData {
  /** (tokens) */
  readonly ids: Int32Array
  /** (vocabulary, hidden) */
  readonly word: HostWeight
  /** (types, hidden) */
  readonly type: HostWeight
  /** (hidden) */
  readonly weight: Float32Array
  /** (hidden) */
  readonly bias: Float32Array
  readonly epsilon: number
}

const tolerance: Tolerance = {
  error: 16 * unitRoundoff,
  per: 'row',
  reason: 'one addition, then a layer norm of a row near zero',
}

export const loadEmbedding: Case<EmbeddingData>['load'] = async (device, data) => {
  const loader = weightLoader(device)
  const word = await loader.put('word', 'table', data.word)
  const type = await loader.put('type', 'table', data.type)
  const weight = await loader.vector('weight', data.weight)
  const bias = await loader.vector('bias', data.bias)
  const { epsilon } = data
  return {
    weights: loader.weights,
    record(scope) {
      const ids = scope.input('ids', 'i32', [data.ids.length], data.ids)
      const y = scope.scratch('y', [data.ids.length, data.weight.length])
      scope.record(embeddingOperation, { ids, word, type, weight, bias, epsilon, y } satisfies EmbeddingParameters)
      return [scope.output(y)]
    },
  }
}

interface Options {
  readonly dtype?: Dtype
  readonly typeDtype?: Dtype
  readonly types?: number
  readonly epsilon?: number
  readonly vocabulary?: number
  readonly deviation?: number
  readonly ids?: readonly number[]
}

function embeddingCase(name: string, tokens: number, hidden: number, options: Options = {}): Case<EmbeddingData> {
  const { dtype = 'f32', typeDtype = dtype, types = 2, epsilon = 1e-12, vocabulary = 50, deviation = 0.02 } = options
  return {
    operation: embeddingOperation.name,
    name,
    tolerance,
    nonFinite: false,
    data: () => ({
      ids: options.ids ? Int32Array.from(options.ids) : randomIndices(`embedding ids ${name}`, tokens, vocabulary),
      word: randomWeight(`embedding word ${name}`, [vocabulary, hidden], dtype, deviation),
      type: randomWeight(`embedding type ${name}`, [types, hidden], typeDtype, deviation),
      weight: randomValues(`embedding weight ${name}`, hidden).map((value) => 1 + value / 4),
      bias: randomValues(`embedding bias ${name}`, hidden),
      epsilon,
    }),
    load: loadEmbedding,
  }
}

export function embeddingCases(): Case<EmbeddingData>[] {
  return [
    ...[1, 2, 5, 15, 16, 33, 64, 65, 341, 768].map((hidden) => embeddingCase(`9 tokens of ${hidden}`, 9, hidden)),
    embeddingCase('1 token', 1, 768),
    embeddingCase('no tokens', 0, 64),
    embeddingCase('130 tokens', 130, 48),
    embeddingCase('first and last row, repeated', 6, 64, { ids: [0, 49, 0, 49, 49, 1] }),
    embeddingCase('one word, one type', 3, 33, { vocabulary: 1, types: 1 }),
    embeddingCase('f16 tables', 7, 65, { dtype: 'f16' }),
    embeddingCase('bf16 tables', 7, 65, { dtype: 'bf16' }),
    embeddingCase('f16 words, f32 types', 4, 64, { dtype: 'f16', typeDtype: 'f32' }),
    embeddingCase('tiny values, epsilon 1e-12', 4, 96, { deviation: 1e-6 }),
    embeddingCase('tiny values, epsilon 1e-6', 4, 96, { deviation: 1e-4, epsilon: 1e-6 }),
    embeddingCase('large values', 4, 96, { deviation: 1e4 }),
  ]
}
