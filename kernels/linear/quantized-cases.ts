import { largestCode, quantizeRows, scalesPerRow } from '../../runtime/quantize.ts'
import type { Activation } from '../activation.ts'
import { type Case, type HostWeight, randomValues, scaleRows, unitRoundoff, withValues } from '../case.ts'
import { type LinearData, loadLinear } from './cases.ts'
import { linearOperation } from './linear.ts'
import { activationLimit } from './quantized.ts'

/** Dtypes of codes. */
export type CodeDtype = 'i8' | 'i16'

interface Options {
  readonly bias?: boolean
  readonly activation?: Activation
  readonly gate?: Activation
  readonly residual?: boolean
  readonly margin?: { before: number; after: number }
  readonly nonFinite?: boolean
  readonly x?: (x: Float32Array, width: number) => Float32Array
  /** (features, width) floats before they are quantised */
  readonly weight?: (weight: Float32Array, width: number) => Float32Array
}

function quantizedCase(
  name: string,
  dtype: CodeDtype,
  [rows, width, out]: readonly [number, number, number],
  options: Options = {},
): Case<LinearData> {
  const { bias = true, activation, gate, residual = false, margin, nonFinite = false } = options
  const features = gate ? 2 * out : out
  const named = `${dtype} codes, ${name}`
  return {
    operation: linearOperation.name,
    name: named,
    tolerance: {
      error: (gate ? 6 : 3) / activationLimit(dtype) + unitRoundoff * (8 + 2 * Math.sqrt(width)),
      per: out < 8 ? 'tensor' : 'row',
      // Our x is below 2√3 σ, so a code's rounding error, uniform over a step of 2√3 σ / limit, deviates by σ / limit.
      reason:
        'a device may round x to codes: that deviates by 1 / limit of a typical component, whatever the width; the largest ' +
        'component of a row is about twice as large, the largest error of a case five times, and a gate has two such factors',
    },
    nonFinite,
    data: () => {
      const floats = randomValues(`linear weight ${named}`, features * width, 1 / Math.sqrt(width))
      const x = randomValues(`linear x ${named}`, rows * width)
      return {
        rows,
        width,
        out,
        x: options.x ? options.x(x, width) : x,
        ...codesOf(options.weight ? options.weight(floats, width) : floats, width, dtype),
        bias: bias ? randomValues(`linear bias ${named}`, features, 0.5) : undefined,
        activation,
        gate,
        residual: residual ? randomValues(`linear residual ${named}`, rows * out) : undefined,
        margin,
      }
    },
    load: loadLinear,
  }
}

/** floats: (features, width) */
export function codesOf(
  floats: Float32Array,
  width: number,
  dtype: CodeDtype,
): { weight: HostWeight; scale: HostWeight } {
  const { codes, scales } = quantizeRows(floats, width, dtype === 'i8' ? 'q8' : 'q12', 'weight')
  const features = floats.length / width
  return {
    weight: { shape: [features, width], dtype, values: codes },
    scale: { shape: [features, scalesPerRow(width)], dtype: 'f32', values: scales },
  }
}

/** [rows, width, out]: widths around multiples of 64, rows around 4, 48 */
const sizes: readonly (readonly [number, number, number])[] = [
  [1, 1, 1],
  [1, 2, 9],
  [2, 63, 8],
  [4, 64, 8],
  [5, 65, 17],
  [3, 127, 16],
  [6, 128, 31],
  [7, 129, 24],
  [9, 341, 7],
  [1, 768, 5],
  [47, 192, 33],
  [49, 191, 40],
  [97, 67, 65],
  [1, 3072, 8],
  [0, 64, 32],
]

function casesOf(dtype: CodeDtype): Case<LinearData>[] {
  const make = (name: string, size: readonly [number, number, number], options?: Options) =>
    quantizedCase(name, dtype, size, options)
  return [
    ...sizes.map((size) => make(size.join('x'), size)),
    make('nothing fused', [19, 37, 35], { bias: false }),
    make('residual', [19, 70, 35], { residual: true }),
    make('activation gelu, no bias', [19, 37, 35], { activation: 'gelu', bias: false }),
    make('activation silu, residual', [19, 130, 40], { activation: 'silu', residual: true }),
    make('gate gelu', [19, 70, 40], { gate: 'gelu' }),
    make('gate silu, no bias, residual', [18, 96, 64], { gate: 'silu', bias: false, residual: true }),
    make('gate whose halves start within a panel', [19, 70, 35], { gate: 'gelu' }),
    make('gate whose halves start within a panel, residual', [50, 37, 67], { gate: 'silu', residual: true }),
    make('gate with 1 column', [3, 20, 1], { gate: 'gelu' }),
    make('no rows, gate, residual', [0, 33, 20], { gate: 'gelu', residual: true }),
    make('into rows of a larger tensor', [3, 20, 9], { margin: { before: 64, after: 5 } }),
    make('into the first rows', [65, 33, 31], { margin: { before: 0, after: 1 }, activation: 'gelu' }),
    make('into rows, gate, residual', [17, 64, 40], {
      margin: { before: 128, after: 64 },
      gate: 'gelu',
      residual: true,
    }),
    make('rows from 1e-6 to 1e4', [12, 96, 40], {
      bias: false,
      x: (x, width) => scaleRows(x, width, [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1, 10, 100, 1e3, 1e4]),
    }),
    make('rows of zeros, of -0 and of subnormal numbers', [5, 65, 33], {
      x: (x, width) => scaleRows(x, width, [0, -0, 1e-40, 1]),
    }),
    make('columns from 1e-6 to 1e4, 64 at a time', [6, 448, 24], {
      weight: (weight, width) => weight.map((value, i) => value * 10 ** (4 - 2 * Math.floor((i % width) / 64))),
    }),
    make('weight rows and blocks of zeros', [6, 200, 24], {
      weight: (weight, width) =>
        weight.map((value, i) => (i < 2 * width || (i % width >= 64 && i % width < 128) ? 0 : value)),
    }),
    ...([768, 2048, 3072] as const).flatMap((width) => [
      make(
        `largest codes and activations, one sign, K = ${width}`,
        [5, width, 9],
        extreme(() => 1),
      ),
      make(
        `largest codes and activations, signs alternate in both, K = ${width}`,
        [5, width, 9],
        extreme((k) => (k % 2 ? -1 : 1)),
      ),
    ]),
    make('NaN and infinity in x stay in their rows', [9, 64, 33], {
      nonFinite: true,
      x: (x) => withValues(x, { 65: Number.NaN, 200: Number.POSITIVE_INFINITY, 575: Number.NEGATIVE_INFINITY }),
    }),
    make('NaN in the last column of x, 65 wide, gate', [6, 65, 9], {
      nonFinite: true,
      gate: 'silu',
      x: (x) => withValues(x, { 64: Number.NaN }),
    }),
  ]
}

/** Every code of x and of the weight at its limit, with the same signs: the largest sums there are, in even rows negative. */
function extreme(sign: (k: number) => number): Options {
  return {
    x: (x, width) => x.map((_, i) => 3 * sign(i % width) * (Math.floor(i / width) % 2 ? 1 : -1)),
    weight: (weight, width) => weight.map((_, i) => (sign(i % width) * largestCode.q12) / 2 ** 11),
  }
}

/** `linear` on i8 and i16 codes with a scale per 64 columns. */
export function quantizedLinearCases(): Case<LinearData>[] {
  return (['i8', 'i16'] as const).flatMap(casesOf)
}
