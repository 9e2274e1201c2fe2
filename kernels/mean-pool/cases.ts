import { type RaggedBatch, raggedBatch } from '../../runtime/batch.ts'
import { batchInputs, type Case, randomValues, type Tolerance, unitRoundoff, withValues } from '../case.ts'
import { type MeanPoolParameters, meanPoolOperation } from './mean-pool.ts'

export interface MeanPoolData {
  readonly batch: RaggedBatch
  readonly hidden: number
  /** (tokens, hidden) */
  readonly x: Float32Array
  readonly count: number | undefined
}

const tolerance: Tolerance = {
  error: 64 * unitRoundoff,
  per: 'row',
  reason: 'a float32 sum over up to 2048 tokens whose mean is much smaller than they are',
}

export const loadMeanPool: Case<MeanPoolData>['load'] = async (_device, data) => ({
  weights: [],
  record(scope) {
    const { hidden, count } = data
    const batch = batchInputs(scope, data.batch)
    const x = scope.input('x', 'f32', [data.batch.tokens, hidden], data.x)
    const y = scope.scratch('y', [data.batch.sequences, hidden])
    scope.record(meanPoolOperation, { x, batch, count, y } satisfies MeanPoolParameters)
    return [scope.output(y)]
  },
})

interface Options {
  readonly count?: number
  readonly nonFinite?: boolean
  readonly x?: (x: Float32Array) => Float32Array
}

function meanPoolCase(
  name: string,
  lengths: readonly number[],
  hidden: number,
  { count, nonFinite = false, x = (values) => values }: Options = {},
): Case<MeanPoolData> {
  return {
    operation: meanPoolOperation.name,
    name,
    tolerance,
    nonFinite,
    data() {
      const batch = raggedBatch(lengths.map((length) => Int32Array.from({ length }, (_, i) => i)))
      return { batch, hidden, x: x(randomValues(`mean-pool ${name}`, batch.tokens * hidden)), count }
    },
    load: loadMeanPool,
  }
}

const mixed = [1, 2, 63, 64, 65, 197]

export function meanPoolCases(): Case<MeanPoolData>[] {
  return [
    ...[1, 3, 4, 5, 16, 33, 64, 65, 341, 768, 1100].map((hidden) => meanPoolCase(`${hidden} wide`, [7, 1, 12], hidden)),
    meanPoolCase('lengths 1, 2, 63, 64, 65, 197 mixed', mixed, 40),
    meanPoolCase('lengths mixed, first token only', mixed, 40, { count: 1 }),
    meanPoolCase('lengths mixed, at most 64 tokens', mixed, 40, { count: 64 }),
    meanPoolCase('class tokens of three images', [197, 197, 197], 768, { count: 1 }),
    meanPoolCase('2048 tokens', [2048], 24),
    meanPoolCase(
      '130 sequences',
      Array.from({ length: 130 }, (_, s) => 1 + (s % 3)),
      9,
    ),
    meanPoolCase('no sequences', [], 16),
    meanPoolCase('no sequences, first token only', [], 16, { count: 1 }),
    meanPoolCase('values of 1e4', [30, 31], 33, { x: (x) => x.map((value) => value * 1e4) }),
    meanPoolCase('values near 1000', [300], 33, { x: (x) => x.map((value) => 1000 + value) }),
    meanPoolCase('NaN and infinity stay in their sequences and columns', [3, 4, 5], 8, {
      nonFinite: true,
      x: (x) => withValues(x, { 33: Number.NaN, 66: Number.POSITIVE_INFINITY }),
    }),
    meanPoolCase('NaN in a token that is not counted', [3, 4, 5], 8, {
      count: 1,
      x: (x) => withValues(x, { 8: Number.NaN, 95: Number.NaN, 33: Number.POSITIVE_INFINITY }),
    }),
  ]
}
