import { type Case, randomValues, scaleRows, type Tolerance, unitRoundoff, weightLoader, withValues } from '../case.ts'
import { type LayerNormParameters, layerNormOperation } from './layer-norm.ts'

export interface LayerNormData {
  readonly rows: number
  readonly width: number
  /** (rows, width) */
  readonly x: Float32Array
  /** (width) */
  readonly weight: Float32Array
  /** (width) */
  readonly bias: Float32Array
  readonly epsilon: number
  /** y is x itself */
  readonly inPlace: boolean
}

const tolerance: Tolerance = {
  error: 16 * unitRoundoff,
  per: 'row',
  reason:
    'differences to the mean, root and product round once each; the mean must be better than one float32 sum gives',
}

export const loadLayerNorm: Case<LayerNormData>['load'] = async (device, data) => {
  const loader = weightLoader(device)
  const weight = await loader.vector('weight', data.weight)
  const bias = await loader.vector('bias', data.bias)
  return {
    weights: loader.weights,
    record(scope) {
      const x = scope.input('x', 'f32', [data.rows, data.width], data.x)
      const y = data.inPlace ? x : scope.scratch('y', x.shape)
      scope.record(layerNormOperation, { x, weight, bias, epsilon: data.epsilon, y } satisfies LayerNormParameters)
      return [scope.output(y)]
    },
  }
}

interface Options {
  readonly epsilon?: number
  readonly inPlace?: boolean
  readonly nonFinite?: boolean
  readonly x?: (x: Float32Array, width: number) => Float32Array
}

function layerNormCase(name: string, rows: number, width: number, options: Options = {}): Case<LayerNormData> {
  const { epsilon = 1e-12, inPlace = false, nonFinite = false, x = (values) => values } = options
  return {
    operation: layerNormOperation.name,
    name,
    tolerance,
    nonFinite,
    data: () => ({
      rows,
      width,
      x: x(randomValues(`layer-norm x ${name}`, rows * width), width),
      weight: randomValues(`layer-norm weight ${name}`, width).map((value) => 1 + value / 4),
      bias: randomValues(`layer-norm bias ${name}`, width),
      epsilon,
      inPlace,
    }),
    load: loadLayerNorm,
  }
}

/** x: (rows, width), each row one constant */
const constants = (values: readonly number[]) => (x: Float32Array, width: number) =>
  x.map((_, i) => values[Math.floor(i / width) % values.length]!)

/** x: (rows, width) + one offset per row */
const offsets = (values: readonly number[]) => (x: Float32Array, width: number) =>
  x.map((value, i) => value + values[Math.floor(i / width) % values.length]!)

export function layerNormCases(): Case<LayerNormData>[] {
  return [
    ...[1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 127, 341, 768, 2048].map((width) =>
      layerNormCase(`5 rows of ${width}`, 5, width, { epsilon: width % 2 ? 1e-6 : 1e-12 }),
    ),
    layerNormCase('no rows', 0, 64),
    layerNormCase('1 row', 1, 768),
    layerNormCase('65 rows', 65, 24),
    layerNormCase('197 rows of 768, epsilon 1e-6', 197, 768, { epsilon: 1e-6 }),
    layerNormCase('in place', 7, 65, { inPlace: true }),
    layerNormCase('in place, 768 wide', 66, 768, { inPlace: true, epsilon: 1e-6 }),
    ...[1e-12, 1e-6].flatMap((epsilon) => [
      layerNormCase(`rows from 1e-6 to 1e4, epsilon ${epsilon}`, 12, 96, {
        epsilon,
        x: (x, width) => scaleRows(x, width, [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1, 10, 100, 1e3, 1e4]),
      }),
      layerNormCase(`constant rows, epsilon ${epsilon}`, 8, 768, {
        epsilon,
        x: constants([0, -0, 1, 0.1, -3.3, 1e4, 1e-6, 12345.678]),
      }),
      layerNormCase(`rows far from zero, epsilon ${epsilon}`, 5, 768, {
        epsilon,
        x: offsets([10, -100, 1e3, 3e3, -0.5]),
      }),
    ]),
    layerNormCase('one large value in a row', 3, 768, { x: (x) => withValues(x, { 0: 1e4, 1000: -1e4, 2303: 1e4 }) }),
    layerNormCase('subnormal rows', 3, 64, { x: (x) => x.map((value) => value * 1e-40) }),
    layerNormCase('NaN and infinity stay in their rows', 7, 33, {
      nonFinite: true,
      x: (x) => withValues(x, { 34: Number.NaN, 100: Number.POSITIVE_INFINITY, 197: Number.NEGATIVE_INFINITY }),
    }),
  ]
}
