import type { Activation } from '../activation.ts'
import { type Case, randomValues, scaleRows, type Tolerance, unitRoundoff, withValues } from '../case.ts'
import { type GatedLinearUnitParameters, gatedLinearUnitOperation } from './gated-linear-unit.ts'

export interface GatedLinearUnitData {
  readonly rows: number
  readonly width: number
  /** (rows, 2·width) */
  readonly x: Float32Array
  readonly activation: Activation
}

const tolerance: Tolerance = {
  error: 8 * unitRoundoff,
  per: 'row',
  reason: 'an activation to a few units in the last place of its largest values, and one product',
}

export const loadGatedLinearUnit: Case<GatedLinearUnitData>['load'] = async (_device, data) => ({
  weights: [],
  record(scope) {
    const x = scope.input('x', 'f32', [data.rows, 2 * data.width], data.x)
    const y = scope.scratch('y', [data.rows, data.width])
    scope.record(gatedLinearUnitOperation, { x, activation: data.activation, y } satisfies GatedLinearUnitParameters)
    return [scope.output(y)]
  },
})

const saturatedTolerance: Tolerance = {
  error: 256 * unitRoundoff,
  per: 'row',
  reason: 'rows of one value; WGSL allows e^x an error of 3 + 2 |x| units in the last place',
}

interface Options {
  readonly tolerance?: Tolerance
  readonly nonFinite?: boolean
  readonly x?: (x: Float32Array, width: number) => Float32Array
}

function gatedLinearUnitCase(
  name: string,
  activation: Activation,
  rows: number,
  width: number,
  options: Options = {},
): Case<GatedLinearUnitData> {
  const { nonFinite = false, x = (values) => values } = options
  return {
    operation: gatedLinearUnitOperation.name,
    name: `${activation}: ${name}`,
    // In a row of few elements all may be small, where ½ (1 + erf) in float32 has few digits left.
    tolerance: options.tolerance ?? { ...tolerance, per: width < 8 ? 'tensor' : 'row' },
    nonFinite,
    data: () => ({
      rows,
      width,
      x: x(randomValues(`gated-linear-unit ${activation} ${name}`, rows * 2 * width, 2), 2 * width),
      activation,
    }),
    load: loadGatedLinearUnit,
  }
}

const { NaN: nan, POSITIVE_INFINITY: infinity } = Number
const saturated = [100, -100, 1e30, -1e30, 88, -88, 104, -104, 0, -0, 30, -30, 1e-30, -1e-30]

export function gatedLinearUnitCases(): Case<GatedLinearUnitData>[] {
  return (['gelu', 'silu'] as const).flatMap((activation) => [
    ...[1, 2, 3, 4, 7, 16, 33, 65, 341, 2048].map((width) =>
      gatedLinearUnitCase(`3 rows of ${width}`, activation, 3, width),
    ),
    gatedLinearUnitCase('no rows', activation, 0, 33),
    gatedLinearUnitCase('1 row of 3072', activation, 1, 3072),
    gatedLinearUnitCase('67 rows', activation, 67, 12),
    gatedLinearUnitCase('every step from -12 to 12', activation, 1, 481, {
      x: (x) => x.map((value, i) => (i < 481 ? (i - 240) / 20 : value)),
    }),
    gatedLinearUnitCase('rows from 1e-6 to 1e4', activation, 11, 40, {
      x: (x, columns) => scaleRows(x, columns, [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1, 10, 100, 1e3, 1e4]),
    }),
    gatedLinearUnitCase('where the activation saturates', activation, saturated.length, 1, {
      tolerance: saturatedTolerance,
      x: (x) => x.map((_, i) => (i % 2 === 0 ? saturated[i / 2]! : 1)),
    }),
    gatedLinearUnitCase('gates with 1e30, -1e30, 0, -0', activation, 4, 1, {
      x: () => Float32Array.of(1, 1e30, 1, -1e30, 1, 0, 1, -0),
    }),
    gatedLinearUnitCase('NaN and infinity stay where they are', activation, 6, 5, {
      nonFinite: true,
      x: (x) => withValues(x, { 0: nan, 12: infinity, 24: -infinity, 36: nan, 47: infinity, 58: -infinity }),
    }),
  ])
}
