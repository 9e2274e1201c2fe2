import { type RaggedBatch, raggedBatch } from '../../runtime/batch.ts'
import {
  batchInputs,
  type Case,
  randomIndices,
  randomValues,
  scaleRows,
  type Tolerance,
  unitRoundoff,
} from '../case.ts'
import { alibiSlopes } from './alibi.ts'
import { type AttentionParameters, attentionOperation } from './attention.ts'

export interface AttentionData {
  readonly batch: RaggedBatch
  readonly heads: number
  readonly headDim: number
  /** (tokens, 3 · heads · headDim) */
  readonly qkv: Float32Array
  readonly scale: number
  /** (heads) */
  readonly slopes: Float32Array | undefined
}

export const loadAttention: Case<AttentionData>['load'] = async (_device, data) => ({
  weights: [],
  record(scope) {
    const { heads, headDim, scale } = data
    const { tokens } = data.batch
    const batch = batchInputs(scope, data.batch)
    const qkv = scope.input('qkv', 'f32', [tokens, 3 * heads * headDim], data.qkv)
    const slopes = data.slopes && scope.input('slopes', 'f32', [heads], data.slopes)
    const y = scope.scratch('y', [tokens, heads * headDim])
    scope.record(attentionOperation, { qkv, batch, heads, scale, slopes, y } satisfies AttentionParameters)
    return [scope.output(y)]
  },
})

/** For sums over `length` tokens, of scores of a few units. */
const smallScores = (length: number): Tolerance => ({
  error: unitRoundoff * (32 + 2 * Math.sqrt(length)),
  per: 'row',
  reason: 'scores and their exponentials are known to a few roundings, and the errors of the sums walk at random',
})

/** For scores as large as `score`. */
const largeScores = (score: number): Tolerance => ({
  error: unitRoundoff * (32 + 2 * score),
  per: 'row',
  reason:
    'a float32 score is known to one part in 2^24 of itself, and its exponential is wrong by what the score is wrong',
})

interface Options {
  readonly slopes?: boolean
  readonly scale?: number
  readonly tolerance?: Tolerance
  readonly nonFinite?: boolean
  /** Of one sequence of this length; 0, 1, 2, … unless told otherwise. */
  readonly positions?: (length: number, sequence: number) => ArrayLike<number>
  /** (tokens, 3 · hidden), changed in place */
  readonly change?: (qkv: Float32Array, hidden: number) => void
}

function attentionCase(
  name: string,
  lengths: readonly number[],
  heads: number,
  headDim: number,
  options: Options = {},
): Case<AttentionData> {
  const { slopes = true, scale = 1 / Math.sqrt(headDim), nonFinite = false, positions = upTo, change } = options
  return {
    operation: attentionOperation.name,
    name,
    tolerance: options.tolerance ?? smallScores(Math.max(1, ...lengths)),
    nonFinite,
    data() {
      const batch = raggedBatch(lengths.map(positions))
      const qkv = randomValues(`attention ${name}`, batch.tokens * 3 * heads * headDim)
      change?.(qkv, heads * headDim)
      return { batch, heads, headDim, qkv, scale, slopes: slopes ? alibiSlopes(heads) : undefined }
    },
    load: loadAttention,
  }
}

/** 0 … length - 1 */
function upTo(length: number): Int32Array {
  return Int32Array.from({ length }, (_, i) => i)
}

/** Ascending with gaps of 0 to 3 places, from 1 on. */
function withHoles(length: number, sequence: number): Int32Array {
  let position = 0
  return randomIndices(`holes ${sequence}`, length, 4).map((gap) => {
    position += 1 + gap
    return position
  })
}

/** x: (tokens, 3 · hidden); part 0 is q, 1 is k, 2 is v; `columns` from the part's first, all unless told otherwise */
function fillPart(x: Float32Array, hidden: number, part: 0 | 1 | 2, value: number, columns = hidden): void {
  for (let row = 0; row < x.length; row += 3 * hidden) {
    x.fill(value, row + part * hidden, row + part * hidden + columns)
  }
}

const mixed = [1, 2, 63, 64, 65, 197]
const { NaN: nan, POSITIVE_INFINITY: infinity } = Number

/** In a batch of 3, 70 and 5 tokens, element `column` of token 20, which is of the second sequence. */
const poison = (column: number, value: number) => (qkv: Float32Array, hidden: number) => {
  qkv[20 * 3 * hidden + column] = value
}

export function attentionCases(): Case<AttentionData>[] {
  return [
    ...[1, 2, 3, 4, 5, 8, 16, 17, 31, 32, 33, 63, 64, 65, 127, 129, 197].map((length) =>
      attentionCase(`${length} tokens`, [length], 2, 16),
    ),
    ...[1, 2, 4, 5, 8, 12, 31, 32, 33, 64, 80].map((headDim) =>
      attentionCase(`head dim ${headDim}`, [37, 6], 3, headDim),
    ),
    ...mixed.map((length) => attentionCase(`${length} tokens, no slopes`, [length], 2, 64, { slopes: false })),
    attentionCase('lengths 1, 2, 63, 64, 65, 197 mixed, 12 heads', mixed, 12, 8),
    attentionCase('lengths mixed, no slopes', mixed, 3, 16, { slopes: false }),
    attentionCase('12 heads of 64', [50, 27], 12, 64),
    attentionCase('three images of 197 tokens, no slopes', [197, 197, 197], 2, 64, { slopes: false }),
    attentionCase('heads of 1030', [9, 1], 1, 1030),
    attentionCase('no sequences', [], 2, 16),
    attentionCase('sequences without tokens between others', [0, 3, 0, 0, 66, 0], 2, 16),
    attentionCase(
      '130 sequences of 1 token',
      Array.from({ length: 130 }, () => 1),
      2,
      8,
    ),
    attentionCase('positions with holes', [40, 1, 70], 12, 8, { positions: withHoles }),
    attentionCase('positions with one gap of 6000', [20], 2, 16, {
      positions: (length) => upTo(length).map((i) => (i < 10 ? i : i + 6000)),
    }),
    attentionCase('positions that do not start at 0', [33], 4, 16, {
      positions: (length) => upTo(length).map((i) => i + 8000),
    }),
    attentionCase('2048 tokens, 3 heads', [2048], 3, 8),
    attentionCase('1025 tokens, no slopes', [1025], 2, 16, { slopes: false }),
    attentionCase('a long sequence beside short ones', [3, 700, 1, 17], 4, 16),
    attentionCase('scale 1', [60], 2, 16, { scale: 1, tolerance: largeScores(25) }),
    attentionCase('scores up to 300', [70], 2, 16, {
      tolerance: largeScores(300),
      change: (qkv, hidden) => {
        for (let i = 0; i < qkv.length; i++) if (i % (3 * hidden) < 2 * hidden) qkv[i]! *= 8
      },
    }),
    attentionCase('huge equal scores', [65], 4, 64, {
      slopes: false,
      change: (qkv, hidden) => {
        fillPart(qkv, hidden, 0, 64)
        fillPart(qkv, hidden, 1, 64)
      },
    }),
    attentionCase('huge equal scores of either sign, with slopes', [65], 4, 64, {
      change: (qkv, hidden) => {
        // 32 · 32 · 64 / 8 = 8192: exact in float32 less any of these slopes times a distance
        fillPart(qkv, hidden, 0, 32)
        fillPart(qkv, hidden, 1, -32)
        fillPart(qkv, hidden, 1, 32, hidden / 2)
      },
    }),
    attentionCase('one huge score', [66], 2, 16, {
      slopes: false,
      change: (qkv, hidden) => {
        fillPart(qkv, hidden, 0, 16)
        qkv.fill(32, 50 * 3 * hidden + hidden, 50 * 3 * hidden + 2 * hidden)
      },
    }),
    attentionCase('every key alike', [64, 31], 2, 32, {
      slopes: false,
      change: (qkv, hidden) => fillPart(qkv, hidden, 1, 0.25),
    }),
    attentionCase('values from 1e-6 to 1e4, one size in each sequence', [9, 9, 9, 9], 2, 16, {
      change: (qkv, hidden) => {
        const scaled = scaleRows(qkv, 9 * 3 * hidden, [1e-6, 1e-3, 1, 1e4])
        for (let i = 0; i < qkv.length; i++) if (i % (3 * hidden) >= 2 * hidden) qkv[i] = scaled[i]!
      },
    }),
    attentionCase('zeros, -0 and subnormal numbers', [34], 2, 8, {
      change: (qkv) => {
        for (let i = 0; i < qkv.length; i++) qkv[i] = i % 3 === 0 ? 0 : i % 3 === 1 ? -0 : qkv[i]! * 1e-40
      },
    }),
    attentionCase('NaN in q stays in its token and head', [3, 70, 5], 2, 16, {
      nonFinite: true,
      change: poison(3, nan),
    }),
    attentionCase('NaN in k stays in its sequence and head', [3, 70, 5], 2, 16, {
      nonFinite: true,
      change: poison(32 + 17, nan),
    }),
    attentionCase('NaN in v stays in its sequence and column', [3, 70, 5], 2, 16, {
      nonFinite: true,
      change: poison(64 + 5, nan),
    }),
    attentionCase('infinity in v stays in its sequence and column', [3, 70, 5], 2, 16, {
      nonFinite: true,
      change: poison(64 + 5, infinity),
    }),
    attentionCase('a key at -infinity weighs nothing', [3, 70, 5], 2, 16, {
      nonFinite: true,
      change: (qkv, hidden) => {
        fillPart(qkv, hidden, 0, 1, 1)
        qkv[3 * 3 * hidden + hidden] = -infinity // the first key of the second sequence
      },
    }),
    attentionCase('a key at infinity spoils its sequence and head', [3, 70, 5], 2, 16, {
      nonFinite: true,
      change: (qkv, hidden) => {
        fillPart(qkv, hidden, 0, 1, 1)
        qkv[20 * 3 * hidden + hidden] = infinity
      },
    }),
    attentionCase('NaN in a far value reaches every token, steep slopes or not', [600], 4, 8, {
      nonFinite: true,
      change: (qkv, hidden) => {
        qkv[2 * hidden] = nan
      },
    }),
    attentionCase('NaN in a far key reaches every token, steep slopes or not', [600], 4, 8, {
      nonFinite: true,
      change: (qkv, hidden) => {
        qkv[599 * 3 * hidden + hidden] = nan
      },
    }),
  ]
}
