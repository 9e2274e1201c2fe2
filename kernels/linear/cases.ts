import type { Dtype } from '../../runtime/dtype.ts'
import { rowsOf } from '../../runtime/tensor.ts'
import type { Activation } from '../activation.ts'
import {
  type Case,
  type HostWeight,
  randomValues,
  randomWeight,
  scaleRows,
  unitRoundoff,
  weightLoader,
  withValues,
} from '../case.ts'
import { type LinearParameters, linearOperation } from './linear.ts'

export interface LinearData {
  readonly rows: number
  readonly width: number
  readonly out: number
  /** (rows, width) */
  readonly x: Float32Array
  /** (out, width), (2·out, width) with a gate */
  readonly weight: HostWeight
  /** Of an i8 or i16 weight: (out, ⌈width / 64⌉), (2·out, ⌈width / 64⌉) with a gate */
  readonly scale: HostWeight | undefined
  /** (out), (2·out) with a gate */
  readonly bias: Float32Array | undefined
  readonly activation: Activation | undefined
  readonly gate: Activation | undefined
  /** (rows, out) */
  readonly residual: Float32Array | undefined
  /** Rows of `sentinel` before and after those that are written, in the tensor that is the output. */
  readonly margin: { readonly before: number; readonly after: number } | undefined
}

/** What the margins hold and must hold afterwards. */
export const sentinel = -12345.6787109375

export const loadLinear: Case<LinearData>['load'] = async (device, data) => {
  const { rows, width, out, activation, gate, margin } = data
  const loader = weightLoader(device)
  const weight = await loader.put('weight', 'matrix', data.weight)
  const scale = data.scale && (await loader.put('scale', 'matrix', data.scale))
  const bias = data.bias && (await loader.vector('bias', data.bias))
  return {
    weights: loader.weights,
    record(scope) {
      const x = scope.input('x', 'f32', [rows, width], data.x)
      const residual = data.residual && scope.input('residual', 'f32', [rows, out], data.residual)
      const { before, after } = margin ?? { before: 0, after: 0 }
      const shape = [before + rows + after, out]
      const whole = margin
        ? scope.input('sentinels', 'f32', shape, new Float32Array((before + rows + after) * out).fill(sentinel))
        : scope.scratch('y', shape)
      const y = margin ? rowsOf(whole, before, before + rows) : whole
      scope.record(linearOperation, {
        x,
        weight,
        scale,
        bias,
        activation,
        gate,
        residual,
        y,
      } satisfies LinearParameters)
      return [scope.output(whole)]
    },
  }
}

interface Options {
  readonly dtype?: Dtype
  readonly bias?: boolean
  readonly activation?: Activation | undefined
  readonly gate?: Activation | undefined
  readonly residual?: boolean
  readonly margin?: { before: number; after: number }
  readonly nonFinite?: boolean
  readonly x?: (x: Float32Array, width: number) => Float32Array
  readonly weight?: (weight: HostWeight) => HostWeight
}

function linearCase(name: string, rows: number, width: number, out: number, options: Options = {}): Case<LinearData> {
  const { dtype = 'f32', bias = true, activation, gate, residual = false, margin, nonFinite = false } = options
  const features = gate ? 2 * out : out
  return {
    operation: linearOperation.name,
    name,
    tolerance: {
      error: unitRoundoff * (8 + 2 * Math.sqrt(width)),
      per: out < 8 ? 'tensor' : 'row',
      reason: 'rounding errors of a float32 sum over k walk at random: they grow with √k, twice that is never reached',
    },
    nonFinite,
    data: () => {
      const weight = randomWeight(`linear weight ${name}`, [features, width], dtype, 1 / Math.sqrt(width))
      const x = randomValues(`linear x ${name}`, rows * width)
      return {
        rows,
        width,
        out,
        x: options.x ? options.x(x, width) : x,
        weight: options.weight ? options.weight(weight) : weight,
        scale: undefined,
        bias: bias ? randomValues(`linear bias ${name}`, features, 0.5) : undefined,
        activation,
        gate,
        residual: residual ? randomValues(`linear residual ${name}`, rows * out) : undefined,
        margin,
      }
    },
    load: loadLinear,
  }
}

/** [rows, width, out] */
const sizes: readonly (readonly [number, number, number])[] = [
  [1, 1, 1],
  [1, 341, 1],
  [9, 341, 1],
  [4, 1, 9],
  [2, 2, 2],
  [1, 768, 5],
  [3, 4, 5],
  [3, 64, 192],
  [4, 16, 8],
  [5, 341, 7],
  [6, 7, 8],
  [7, 3072, 3],
  [8, 8, 16],
  [12, 15, 17],
  [15, 17, 33],
  [16, 16, 16],
  [17, 33, 65],
  [31, 63, 31],
  [33, 65, 30],
  [63, 15, 63],
  [64, 64, 64],
  [65, 96, 31],
  [128, 129, 127],
  [197, 40, 24],
  [130, 768, 97],
  [0, 64, 32],
]

/** Every combination of bias, activation or gate, and residual. */
function fusions(): Case<LinearData>[] {
  const kinds: readonly Pick<Options, 'activation' | 'gate'>[] = [
    {},
    { activation: 'gelu' },
    { activation: 'silu' },
    { gate: 'gelu' },
    { gate: 'silu' },
  ]
  return kinds.flatMap((kind) =>
    [false, true].flatMap((bias) =>
      [false, true].map((residual) => {
        const parts = [
          bias && 'bias',
          kind.activation && `activation ${kind.activation}`,
          kind.gate && `gate ${kind.gate}`,
          residual && 'residual',
        ].filter(Boolean)
        return linearCase(`fused: ${parts.join(', ') || 'nothing'}`, 19, 37, 35, { ...kind, bias, residual })
      }),
    ),
  )
}

export function linearCases(): Case<LinearData>[] {
  return [
    ...sizes.map(([rows, width, out]) => linearCase(`${rows}x${width}x${out}`, rows, width, out)),
    ...fusions(),
    ...(['f16', 'bf16'] as const).flatMap((dtype) => [
      linearCase(`${dtype} weights 3x64x192`, 3, 64, 192, { dtype }),
      linearCase(`${dtype} weights 17x33x65, no bias`, 17, 33, 65, { dtype, bias: false }),
      linearCase(`${dtype} weights 1x341x1`, 1, 341, 1, { dtype }),
      linearCase(`${dtype} weights, gate, residual`, 18, 96, 67, { dtype, gate: 'silu', residual: true }),
    ]),
    linearCase('gate with 1 column', 3, 20, 1, { gate: 'gelu' }),
    linearCase('gate 2x64x341', 2, 64, 341, { gate: 'silu' }),
    linearCase('no rows, gate, residual', 0, 33, 20, { gate: 'gelu', residual: true }),
    linearCase('into rows of a larger tensor', 3, 20, 9, { margin: { before: 64, after: 5 } }),
    linearCase('into the first rows', 65, 33, 31, { margin: { before: 0, after: 1 }, activation: 'gelu' }),
    linearCase('into rows, gate, residual', 17, 64, 40, {
      margin: { before: 128, after: 64 },
      gate: 'gelu',
      residual: true,
    }),
    linearCase('rows from 1e-6 to 1e4', 12, 96, 40, {
      bias: false,
      x: (x, width) => scaleRows(x, width, [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1, 10, 100, 1e3, 1e4]),
    }),
    linearCase('rows of zeros, of -0 and of subnormal numbers', 4, 65, 33, {
      bias: false,
      x: (x, width) => scaleRows(x, width, [0, -0, 1e-40, 1]),
    }),
    linearCase('NaN and infinity in x stay in their rows', 9, 64, 33, {
      nonFinite: true,
      x: (x) => withValues(x, { 65: Number.NaN, 200: Number.POSITIVE_INFINITY, 575: Number.NEGATIVE_INFINITY }),
    }),
    linearCase('NaN and infinity in the weight stay in their columns', 5, 64, 33, {
      nonFinite: true,
      weight: (weight) => ({
        ...weight,
        values: withValues(weight.values as Float32Array, { 70: Number.NaN, 2111: Number.POSITIVE_INFINITY }),
      }),
    }),
  ]
}
