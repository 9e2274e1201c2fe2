import { type EmbeddingData, embeddingCases } from '../../kernels/embedding/cases.ts'
import { embedding } from '../../kernels/embedding/embedding.ts'
import { assertRefused, itComputes, itKeepsBits, onEveryDevice, type Part } from './check.ts'
import { layerNorm, matrixOf } from './naive.ts'
import { numberOf } from './naive-dtype.ts'

/** LN(word[id] + type[0]) */
function naive({ ids, word, type, weight, bias, epsilon }: EmbeddingData) {
  const words = matrixOf(word.values, weight.length)
  return Array.from(ids, (id) => {
    const sum = words[id]!.map((element, i) => numberOf(word.dtype, element) + numberOf(type.dtype, type.values[i]!))
    return layerNorm(sum, [...weight], [...bias], epsilon)
  })
}

const tokensAlone = (data: EmbeddingData): Part<EmbeddingData>[] =>
  Array.from(data.ids, (id, t) => ({ at: t * data.weight.length, data: { ...data, ids: Int32Array.of(id) } }))

onEveryDevice('embedding', 'embedding', (device, under) => {
  itComputes(device, under, embeddingCases(), naive)
  itKeepsBits(device, embeddingCases(), tokensAlone)

  it('refuses tensors that do not fit', () => {
    const scope = device().scope()
    try {
      const fitting = {
        ids: scope.scratch('ids', [3], 'i32'),
        word: scope.scratch('word', [50, 8], 'f16'),
        type: scope.scratch('type', [2, 8]),
        weight: scope.scratch('gain', [8]),
        bias: scope.scratch('shift', [8]),
        epsilon: 1e-12,
      }
      assertRefused(
        () => embedding(scope, { ...fitting, ids: scope.scratch('ids', [3]) }),
        'SHAPE_MISMATCH',
        'embedding ids: expected dtype i32, found f32 in ids',
      )
      assertRefused(
        () => embedding(scope, { ...fitting, type: scope.scratch('type', [2, 7]) }),
        'SHAPE_MISMATCH',
        'embedding type: expected shape (2, 8), found (2, 7) in type',
      )
      assertRefused(
        () => embedding(scope, { ...fitting, word: scope.scratch('word', [50, 8], 'i8') }),
        'SHAPE_MISMATCH',
        'embedding word: expected dtype f32 or f16 or bf16, found i8 in word',
      )
      assertRefused(
        () => embedding(scope, { ...fitting, bias: scope.scratch('shift', [9]) }),
        'SHAPE_MISMATCH',
        'embedding bias: expected shape (8), found (9) in shift',
      )
    } finally {
      scope.end()
    }
  })
})
