import { invariant } from '../../runtime/errors.ts'
import type { ReferenceKernel } from '../../runtime/reference/kernel.ts'
import { normalizeRow } from '../layer-norm/reference.ts'
import type { EmbeddingParameters } from './embedding.ts'

export const embeddingReference: ReferenceKernel<EmbeddingParameters> = (
  { ids, word, type, weight, bias, epsilon, y },
  access,
) => {
  const [tokens = 0, hidden = 0] = y.shape
  const [vocabulary = 0] = word.shape
  const id = access.i32(ids)
  const words = access.floats(word)
  const gain = access.f32(weight)
  const shift = access.f32(bias)
  const out = access.f32(y)
  const typeRow = new Float32Array(hidden)
  access.floats(type).copy(0, hidden, typeRow)
  const wordRow = new Float32Array(hidden)
  const sum = new Float64Array(hidden)

  return {
    units: tokens,
    run(from, to) {
      for (let t = from; t < to; t++) {
        invariant(id[t]! >= 0 && id[t]! < vocabulary, `id ${id[t]} of ${vocabulary}`)
        words.copy(id[t]! * hidden, hidden, wordRow)
        for (let i = 0; i < hidden; i++) sum[i] = wordRow[i]! + typeRow[i]!
        normalizeRow(sum, 0, hidden, gain, shift, epsilon, out, t * hidden)
      }
    },
  }
}
