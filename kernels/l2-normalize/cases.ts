import { type Case, randomValues, scaleRows, type Tolerance, unitRoundoff, withValues } from '../case.ts'
import { type L2NormalizeParameters, l2NormalizeOperation } from './l2-normalize.ts'

export interface L2NormalizeData {
  readonly rows: number
  readonly width: number
  readonly dimensions: number
  /** (rows, width) */
  readonly x: Float32Array
}

const tolerance: Tolerance = {
  error: 16 * unitRoundoff,
  per: 'row',
  reason: 'the squares are all positive, so their sum, its root and a quotient keep their relative precision',
}

export const loadL2Normalize: Case<L2NormalizeData>['load'] = async (_device, data) => ({
  weights: [],
  record(scope) {
    const x = scope.input('x', 'f32', [data.rows, data.width], data.x)
    const y = scope.scratch('y', [data.rows, data.dimensions])
    scope.record(l2NormalizeOperation, { x, y } satisfies L2NormalizeParameters)
    return [scope.output(y)]
  },
})

const dominatedTolerance: Tolerance = {
  error: 96 * unitRoundoff,
  per: 'row',
  reason: 'a float32 sum that has reached 1e8 takes in nothing of squares below 4, and there are hundreds of them',
}

interface Options {
  readonly tolerance?: Tolerance
  readonly dimensions?: number
  readonly nonFinite?: boolean
  readonly x?: (x: Float32Array, width: number) => Float32Array
}

function l2NormalizeCase(name: string, rows: number, width: number, options: Options = {}): Case<L2NormalizeData> {
  const { dimensions = width, nonFinite = false, x = (values) => values } = options
  return {
    operation: l2NormalizeOperation.name,
    name,
    tolerance: options.tolerance ?? tolerance,
    nonFinite,
    data: () => ({ rows, width, dimensions, x: x(randomValues(`l2-normalize ${name}`, rows * width), width) }),
    load: loadL2Normalize,
  }
}

export function l2NormalizeCases(): Case<L2NormalizeData>[] {
  return [
    ...[1, 2, 3, 4, 7, 16, 33, 63, 64, 65, 341, 768, 1024].map((width) =>
      l2NormalizeCase(`4 rows of ${width}`, 4, width),
    ),
    l2NormalizeCase('no rows', 0, 64),
    l2NormalizeCase('1 row', 1, 768),
    l2NormalizeCase('130 rows', 130, 12),
    ...[1, 2, 31, 32, 64, 512, 767].map((dimensions) =>
      l2NormalizeCase(`768 cut to ${dimensions}`, 3, 768, { dimensions }),
    ),
    l2NormalizeCase('rows of zeros', 3, 64, { x: (x, width) => scaleRows(x, width, [0, 1, -0]) }),
    l2NormalizeCase('zeros in what is kept', 2, 64, {
      dimensions: 32,
      x: (x) => x.map((value, i) => (i % 64 < 32 ? 0 : value)),
    }),
    l2NormalizeCase('rows of 1e-20: the norm counts as 1e-12', 3, 96, {
      x: (x, width) => scaleRows(x, width, [1e-20]),
    }),
    l2NormalizeCase('rows from 1e-15 to 1e16', 9, 65, {
      x: (x, width) => scaleRows(x, width, [1e-15, 1e-14, 1e-12, 1e-8, 1e-4, 1, 1e4, 1e10, 1e16]),
    }),
    l2NormalizeCase('one large value in a row', 2, 768, {
      tolerance: dominatedTolerance,
      x: (x) => withValues(x, { 5: 1e4, 1535: -1e4 }),
    }),
    l2NormalizeCase('NaN and infinity stay in their rows', 5, 24, {
      nonFinite: true,
      x: (x) => withValues(x, { 25: Number.NaN, 60: Number.POSITIVE_INFINITY }),
    }),
    l2NormalizeCase('NaN in what is cut off', 2, 24, {
      dimensions: 16,
      x: (x) => withValues(x, { 20: Number.NaN, 47: Number.POSITIVE_INFINITY }),
    }),
  ]
}
