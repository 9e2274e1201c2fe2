import { type Case, randomIndices, randomValues, scaleRows, type Tolerance, unitRoundoff, withValues } from '../case.ts'
import { type RotaryParameters, rotaryOperation } from './rotary.ts'
import { rotaryTable } from './table.ts'

export interface RotaryData {
  readonly tokens: number
  readonly columns: number
  readonly heads: number
  readonly headDim: number
  /** (tokens, columns) */
  readonly x: Float32Array
  /** (tokens) */
  readonly positions: Int32Array
  /** (table rows, headDim / 2) */
  readonly cos: Float32Array
  /** (table rows, headDim / 2) */
  readonly sin: Float32Array
}

const tolerance: Tolerance = {
  error: 4 * unitRoundoff,
  per: 'row',
  reason: 'two products and a sum, each rounded once or fused',
}

export const loadRotary: Case<RotaryData>['load'] = async (_device, data) => ({
  weights: [],
  record(scope) {
    const { tokens, columns, heads, headDim } = data
    const tableShape = [(2 * data.cos.length) / headDim, headDim / 2]
    const x = scope.input('x', 'f32', [tokens, columns], data.x)
    const positions = scope.input('positions', 'i32', [tokens], data.positions)
    const cos = scope.input('cos', 'f32', tableShape, data.cos)
    const sin = scope.input('sin', 'f32', tableShape, data.sin)
    scope.record(rotaryOperation, { x, heads, headDim, positions, cos, sin } satisfies RotaryParameters)
    return [scope.output(x)]
  },
})

interface Options {
  /** Columns behind those that turn. */
  readonly rest?: number
  readonly grid?: number
  readonly stretch?: number
  readonly positions?: (t: number) => number
  readonly nonFinite?: boolean
  readonly x?: (x: Float32Array, columns: number) => Float32Array
}

function rotaryCase(
  name: string,
  tokens: number,
  heads: number,
  headDim: number,
  options: Options = {},
): Case<RotaryData> {
  const {
    rest = heads * headDim,
    grid = 3,
    stretch = 1,
    positions,
    nonFinite = false,
    x = (values) => values,
  } = options
  const columns = heads * headDim + rest
  return {
    operation: rotaryOperation.name,
    name,
    tolerance,
    nonFinite,
    data: () => ({
      tokens,
      columns,
      heads,
      headDim,
      x: x(randomValues(`rotary x ${name}`, tokens * columns), columns),
      positions: positions
        ? Int32Array.from({ length: tokens }, (_, t) => positions(t))
        : randomIndices(`rotary positions ${name}`, tokens, 1 + grid * grid),
      ...(headDim % 4 === 0 ? rotaryTable(grid, headDim, stretch) : randomTable(name, 1 + grid * grid, headDim / 2)),
    }),
    load: loadRotary,
  }
}

/** Angles at random: (rows, pairs) */
function randomTable(name: string, rows: number, pairs: number): Pick<RotaryData, 'cos' | 'sin'> {
  const angles = randomValues(`rotary angles ${name}`, rows * pairs, 3)
  return { cos: angles.map(Math.cos), sin: angles.map(Math.sin) }
}

export function rotaryCases(): Case<RotaryData>[] {
  return [
    ...[2, 4, 6, 8, 16, 60, 64, 128].map((headDim) => rotaryCase(`head dim ${headDim}`, 5, 3, headDim)),
    rotaryCase('1 token, 1 head', 1, 1, 4),
    rotaryCase('no tokens', 0, 2, 8),
    rotaryCase('no columns left over', 7, 4, 16, { rest: 0 }),
    rotaryCase('1 column left over', 7, 3, 8, { rest: 1 }),
    rotaryCase('a fused q, k, v of the vision tower', 2 * 197, 24, 64, {
      rest: 768,
      grid: 14,
      positions: (t) => t % 197,
    }),
    rotaryCase('stretched positions', 65, 2, 64, { grid: 8, stretch: 16 / 14, positions: (t) => 64 - t }),
    rotaryCase('every token at the class token', 9, 2, 32, { positions: () => 0 }),
    rotaryCase('rows from 1e-6 to 1e4', 11, 2, 16, {
      x: (x, columns) => scaleRows(x, columns, [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1, 10, 100, 1e3, 1e4]),
    }),
    rotaryCase('NaN and infinity stay in their pairs', 6, 2, 8, {
      nonFinite: true,
      x: (x) => withValues(x, { 1: Number.NaN, 40: Number.POSITIVE_INFINITY, 90: Number.NEGATIVE_INFINITY, 150: 1e38 }),
    }),
  ]
}
