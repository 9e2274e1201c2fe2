import { alibiSlopes } from '../../../kernels/attention/alibi.ts'
import { type AttentionData, loadAttention } from '../../../kernels/attention/cases.ts'
import { randomValues, unitRoundoff } from '../../../kernels/case.ts'
import { equalBatch } from '../../../runtime/batch.ts'
import { type BenchShape, imageCounts, imageTokens, isQuickImages, isQuickText, textRows } from './shape.ts'

const heads = 12
const headDim = 64

/** Sequences of the text tower have slopes, images have none. */
export function attentionShapes(): BenchShape<AttentionData>[] {
  return [
    ...textRows.map((tokens) => shapeOf(1, tokens, true, isQuickText(tokens))),
    ...imageCounts.map((images) => shapeOf(images, imageTokens, false, isQuickImages(images))),
  ]
}

/** size: 1x2048, sequences by tokens; with slopes and without. → undefined if it is nothing of the kind */
export function attentionShape(size: string): BenchShape<AttentionData>[] | undefined {
  const [sequences, tokens, ...rest] = size.split('x').map(Number)
  if (!sequences || !tokens || rest.length > 0) return undefined
  return [shapeOf(sequences, tokens, true, true), shapeOf(sequences, tokens, false, true)]
}

function shapeOf(sequences: number, tokens: number, slopes: boolean, quick: boolean): BenchShape<AttentionData> {
  const size = `${sequences}x${tokens}`
  return {
    operation: 'attention',
    name: `${size}, 12 heads of 64${slopes ? ', slopes' : ''}`,
    size,
    dtype: 'f32',
    quick,
    tolerance: {
      error: unitRoundoff * (32 + 2 * Math.sqrt(tokens)),
      per: 'row',
      reason:
        'as the cases of attention: scores and exponentials to a few roundings, errors of the sums walk at random',
    },
    load: loadAttention,
    data: () => ({
      batch: equalBatch(sequences, tokens),
      heads,
      headDim,
      qkv: randomValues(`bench qkv ${tokens}`, sequences * tokens * 3 * heads * headDim),
      scale: 1 / Math.sqrt(headDim),
      slopes: slopes ? alibiSlopes(heads) : undefined,
    }),
  }
}
