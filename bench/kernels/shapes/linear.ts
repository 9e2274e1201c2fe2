import type { Activation } from '../../../kernels/activation.ts'
import { type HostWeight, randomValues, randomWeight, unitRoundoff } from '../../../kernels/case.ts'
import { type LinearData, loadLinear } from '../../../kernels/linear/cases.ts'
import { activationLimit } from '../../../kernels/linear/quantized.ts'
import { codesOf } from '../../../kernels/linear/quantized-cases.ts'
import { type BenchShape, imageCounts, imageTokens, isQuickImages, isQuickText, remembered, textRows } from './shape.ts'

export type LinearDtype = 'f32' | 'f16' | 'q12' | 'q8'

interface Layer {
  readonly width: number
  readonly out: number
  readonly bias?: boolean
  readonly gate?: Activation
  readonly residual?: boolean
}

/** Both towers' layers have them. */
const shared: readonly Layer[] = [
  { width: 768, out: 2304, bias: true },
  { width: 768, out: 768, bias: true, residual: true },
]

const textLayers: readonly Layer[] = [
  ...shared,
  { width: 768, out: 3072, gate: 'gelu' },
  { width: 3072, out: 768, bias: true, residual: true },
]

const imageLayers: readonly Layer[] = [
  ...shared,
  { width: 768, out: 2048, bias: true, gate: 'silu' },
  { width: 2048, out: 768, bias: true, residual: true },
]

/** Every layer of both towers, in each dtype; a layer's weight is the same for any number of rows. */
export function linearShapes(dtypes: readonly LinearDtype[]): BenchShape<LinearData>[] {
  const layers = [...new Set([...textLayers, ...imageLayers])]
  const weights = remembered<Weights>()
  return layers.flatMap((layer) => {
    const texts = textLayers.includes(layer) ? textRows.map((rows) => ({ rows, quick: isQuickText(rows) })) : []
    const images = imageLayers.includes(layer)
      ? imageCounts.map((images) => ({ rows: images * imageTokens, quick: isQuickImages(images) }))
      : []
    return dtypes.flatMap((dtype) =>
      [...texts, ...images].map(({ rows, quick }) => shapeOf(rows, layer, dtype, quick, weights)),
    )
  })
}

/** size: 512x768x3072, rows by in by out, with a bias. → undefined if it is nothing of the kind */
export function linearShape(size: string, dtypes: readonly LinearDtype[]): BenchShape<LinearData>[] | undefined {
  const [rows, width, out, ...rest] = size.split('x').map(Number)
  if (!rows || !width || !out || rest.length > 0) return undefined
  const weights = remembered<Weights>()
  return dtypes.map((dtype) => shapeOf(rows, { width, out, bias: true }, dtype, true, weights))
}

type Weights = Pick<LinearData, 'weight' | 'scale'>

/** A prime, so that no tile's rows are a multiple of it. */
const distinctRows = 29

function shapeOf(
  rows: number,
  layer: Layer,
  dtype: LinearDtype,
  quick: boolean,
  weights: (key: string, make: () => Weights) => Weights,
): BenchShape<LinearData> {
  const { width, out, bias = false, gate, residual = false } = layer
  const features = gate ? 2 * out : out
  const fused = [bias && 'bias', gate && `${gate} gate`, residual && 'residual'].filter(Boolean)
  const size = `${rows}x${width}x${out}`
  const key = `${width} ${out} ${gate} ${dtype}`
  const code = codeDtype[dtype]
  const data = (count: number): LinearData => ({
    ...{ rows: count, width, out, activation: undefined, gate, margin: undefined },
    ...weights(key, () => weightsOf(key, features, width, dtype)),
    x: repeated(`bench x ${width}`, count, width),
    bias: bias ? randomValues(`bench bias ${key}`, features, 0.5) : undefined,
    residual: residual ? repeated(`bench residual ${out}`, count, out) : undefined,
  })
  return {
    operation: 'linear',
    name: [size, ...fused].join(' '),
    size,
    dtype,
    quick,
    tolerance: {
      error: (code ? (gate ? 6 : 3) / activationLimit(code) : 0) + unitRoundoff * (8 + 2 * Math.sqrt(width)),
      per: 'row',
      reason: 'as the cases of linear: kernels/linear/cases.ts and quantized-cases.ts',
    },
    load: loadLinear,
    data: () => data(rows),
    distinct: { rows: Math.min(rows, distinctRows), data: () => data(Math.min(rows, distinctRows)) },
  }
}

const codeDtype: Readonly<Record<LinearDtype, 'i8' | 'i16' | undefined>> = {
  f32: undefined,
  f16: undefined,
  q12: 'i16',
  q8: 'i8',
}

function weightsOf(key: string, features: number, width: number, dtype: LinearDtype): Weights {
  const code = codeDtype[dtype]
  const deviation = 1 / Math.sqrt(width)
  if (code) return codesOf(randomValues(`bench weight ${key}`, features * width, deviation), width, code)
  const weight: HostWeight = randomWeight(`bench weight ${key}`, [features, width], dtype as 'f32' | 'f16', deviation)
  return { weight, scale: undefined }
}

/** (rows, width): the first `distinctRows` rows again and again */
function repeated(seed: string, rows: number, width: number): Float32Array {
  const pattern = randomValues(seed, distinctRows * width)
  const values = new Float32Array(rows * width)
  for (let at = 0; at < values.length; at += pattern.length) {
    values.set(pattern.subarray(0, Math.min(pattern.length, values.length - at)), at)
  }
  return values
}
