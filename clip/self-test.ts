import { alibiSlopes } from '../kernels/attention/alibi.ts'
import { attention } from '../kernels/attention/attention.ts'
import { cast } from '../kernels/cast/cast.ts'
import { embedding } from '../kernels/embedding/embedding.ts'
import { gatedLinearUnit } from '../kernels/gated-linear-unit/gated-linear-unit.ts'
import { l2Normalize } from '../kernels/l2-normalize/l2-normalize.ts'
import { layerNorm } from '../kernels/layer-norm/layer-norm.ts'
import { linear } from '../kernels/linear/linear.ts'
import { meanPool } from '../kernels/mean-pool/mean-pool.ts'
import { patchEmbed } from '../kernels/patch-embed/patch-embed.ts'
import { referenceKernels } from '../kernels/reference.ts'
import { rotary } from '../kernels/rotary/rotary.ts'
import { rotaryTable } from '../kernels/rotary/table.ts'
import { codeDtype, finer } from '../models/weight-fills.ts'
import { isQuantized } from '../models/weights.ts'
import { raggedBatch } from '../runtime/batch.ts'
import type { Device, Scope, WeightRole } from '../runtime/device.ts'
import type { Dtype } from '../runtime/dtype.ts'
import { quantizeRows, scalesPerRow } from '../runtime/quantize.ts'
import { createReferenceDevice } from '../runtime/reference/device.ts'
import { createRecording } from '../runtime/scope.ts'
import type { Shape } from '../runtime/shape.ts'
import type { Tensor } from '../runtime/tensor.ts'
import type { ModelDtype } from './dtype.ts'

/** Sizes of the towers in miniature. They decide which variants run, so those of the model itself are tested. */
export interface SelfTestShape {
  /** Components of a head, a multiple of 4 unless `attentionOnly`. */
  readonly headDim: number
  readonly heads: number
  /** Of the second of two sequences. */
  readonly tokens: number
  /** Features between the two linear layers of an MLP. */
  readonly inner: number
  /** Patches along one side of a picture. */
  readonly grid: number
  /** Of matrices and tables. */
  readonly dtype: ModelDtype
  /** Runs `linear` alone: where its variants depend on many rows and features, the rest would take long. */
  readonly linearOnly?: boolean
  /** Runs `attention` alone: for heads that rotary has no use for, or so wide that the rest would take long. */
  readonly attentionOnly?: boolean
  /** Runs `patch-embed` alone: as for `linear`. */
  readonly patchesOnly?: boolean
}

export const smallShape: SelfTestShape = { headDim: 8, heads: 3, tokens: 10, inner: 20, grid: 2, dtype: 'f32' }

/**
 * Largest difference that float32 sums of these sizes may have from float64 ones; where the matrices are codes, x may be rounded
 * to 14 bits besides. A wrong kernel is off by far more.
 */
const tolerances: Readonly<Record<ModelDtype, number>> = { f32: 1e-5, f16: 1e-5, q8: 1e-3, q12: 1e-3 }

export interface WrongKernel {
  readonly operation: string
  /** For a person to read. */
  readonly message: string
}

/**
 * Runs every operation once on this very device and compares with the reference, values within `allowed` of 1 or of
 * themselves. → undefined if all is well, else the first operation that is wrong.
 */
export async function selfTest(
  device: Device,
  shape: SelfTestShape = smallShape,
  allowed = tolerances[shape.dtype],
): Promise<WrongKernel | undefined> {
  const reference = createReferenceDevice(referenceKernels)
  const expected = await runAll(reference, shape)
  const found = await runAll(device, shape)
  for (const [name, want] of expected) {
    const got = found.get(name)!
    const wrong = want.findIndex((value, i) => !(Math.abs(value - got[i]!) <= allowed * Math.max(1, Math.abs(value))))
    if (wrong < 0) continue
    const message = `${name} gives ${got[wrong]} where the reference gives ${want[wrong]}`
    return { operation: name.split(' ')[0]!, message }
  }
  return undefined
}

/** What `selfTest` would run: for devices that compile kernels for their use. */
export function selfTestRecording(shape: SelfTestShape): Scope {
  const scope = createRecording(() => {})
  const weights = neededSpecs(shape).map(([label, { shape, dtype }]) => {
    const tensor: Tensor = { label, dtype, shape, storage: { lifetime: 'weights', bytes: 0 }, offset: 0 }
    return [label, tensor]
  })
  for (const tensor of recordAll(scope, Object.fromEntries(weights) as Weights, shape).values()) scope.output(tensor)
  return scope
}

async function runAll(device: Device, shape: SelfTestShape): Promise<Map<string, Float32Array>> {
  const weights = await makeWeights(device, shape)
  const scope = device.scope()
  try {
    const outputs = recordAll(scope, weights, shape)
    for (const tensor of outputs.values()) scope.output(tensor)
    await device.run(scope)
    const values = new Map<string, Float32Array>()
    for (const [name, tensor] of outputs) values.set(name, (await device.read(tensor)) as Float32Array)
    return values
  } finally {
    scope.end()
    for (const tensor of Object.values(weights)) device.free(tensor)
  }
}

type Weights = Readonly<Record<keyof ReturnType<typeof weightSpecs>, Tensor>>

function weightSpecs({ headDim, heads, inner, grid, dtype }: SelfTestShape) {
  const hidden = headDim * heads
  const quantized = isQuantized(dtype)
  const floats = quantized ? 'f16' : dtype
  const spec = (role: WeightRole, ...shape: number[]) => ({ role, shape, dtype: role === 'vector' ? 'f32' : floats })
  const matrix = (rows: number, width: number, fine = false) => {
    const codes = spec('matrix', rows, width)
    return quantized ? { ...codes, dtype: codeDtype[finer(dtype, fine)] } : codes
  }
  const scales = (rows: number, width: number) => ({
    ...{ role: 'matrix' as const, shape: [rows, scalesPerRow(width)], dtype: 'f32' as const },
  })
  return {
    word: spec('table', 11, hidden),
    type: spec('table', 2, hidden),
    gain: spec('vector', hidden),
    shift: spec('vector', hidden),
    qkv: matrix(3 * hidden, hidden),
    gated: matrix(2 * inner, hidden),
    out: matrix(hidden, inner, true),
    ...(quantized && {
      qkvScale: scales(3 * hidden, hidden),
      gatedScale: scales(2 * inner, hidden),
      outScale: scales(hidden, inner),
    }),
    patch: { ...spec('matrix', hidden, 12), dtype: 'f32' as const },
    position: spec('vector', (1 + grid * grid) * hidden),
  }
}

const ofPatches: readonly string[] = ['patch', 'shift', 'gain', 'position']

function neededSpecs(shape: SelfTestShape) {
  const all = Object.entries(weightSpecs(shape))
  if (shape.attentionOnly) return []
  return shape.patchesOnly ? all.filter(([label]) => ofPatches.includes(label)) : all
}

const isCodes = (dtype: Dtype) => dtype === 'i8' || dtype === 'i16'

async function makeWeights(device: Device, shape: SelfTestShape): Promise<Weights> {
  const weights: Record<string, Tensor> = {}
  const scales = new Map<string, Float32Array>()
  for (const [label, spec] of neededSpecs(shape)) {
    const tensor = device.allocate({ label, ...spec })
    weights[label] = tensor
    const values = wave(label.length, spec.shape)
    if (isCodes(spec.dtype)) {
      const made = quantizeRows(values, spec.shape[1]!, spec.dtype === 'i8' ? 'q8' : 'q12', label)
      scales.set(`${label}Scale`, made.scales)
      await device.write(tensor, spec.dtype, made.codes)
    } else await device.write(tensor, 'f32', scales.get(label) ?? values)
  }
  return weights as Weights
}

/** One matrix, with a gate and without. */
function recordLinear(scope: Scope, w: Weights, { headDim, heads, tokens }: SelfTestShape): Map<string, Tensor> {
  const size = [tokens, headDim * heads]
  const x = scope.input('x', 'f32', size, wave(3, size))
  const layer = { weight: w.gated, scale: w.gatedScale }
  return new Map([
    ['linear', linear(scope, x, layer)],
    ['linear with a gate', linear(scope, x, layer, { gate: 'gelu' })],
  ])
}

/** Two sequences, with slopes. */
function recordAttention(scope: Scope, { headDim, heads, tokens }: SelfTestShape): Map<string, Tensor> {
  const batch = recordBatch(scope, tokens)
  const size = [batch.host.tokens, 3 * headDim * heads]
  const qkv = scope.input('qkv', 'f32', size, wave(4, size))
  const slopes = scope.input('slopes', 'f32', [heads], alibiSlopes(heads))
  return new Map([['attention', attention(scope, { qkv, batch, heads, scale: 0.3, slopes })]])
}

function recordPatches(scope: Scope, w: Weights, { grid }: SelfTestShape): Tensor {
  const pixels = scope.input('pixels', 'f32', [1, 3, 2 * grid, 2 * grid], wave(5, [12 * grid * grid]))
  return patchEmbed(scope, {
    pixels,
    patch: 2,
    weight: w.patch,
    bias: w.shift,
    classToken: w.gain,
    position: w.position,
  })
}

function recordBatch(scope: Scope, tokens: number) {
  const host = raggedBatch([[0, 1, 3], Array.from({ length: tokens }, (_, i) => i)])
  return {
    host,
    offsets: scope.input('offsets', 'i32', [3], host.offsets),
    positions: scope.input('positions', 'i32', [host.tokens], host.positions),
  }
}

/** Both towers in miniature. */
function recordAll(scope: Scope, w: Weights, shape: SelfTestShape): Map<string, Tensor> {
  const { headDim, heads, tokens, grid, linearOnly, attentionOnly, patchesOnly } = shape
  if (patchesOnly) return new Map([['patch-embed', recordPatches(scope, w, shape)]])
  if (linearOnly) return recordLinear(scope, w, shape)
  if (attentionOnly) return recordAttention(scope, shape)
  const batch = recordBatch(scope, tokens)
  const { host } = batch
  const norm = { weight: w.gain, bias: w.shift, epsilon: 1e-6 }
  const ids = scope.input(
    'ids',
    'i32',
    [host.tokens],
    Int32Array.from({ length: host.tokens }, (_, i) => (i * 7) % 11),
  )
  const x = embedding(scope, { ids, word: w.word, type: w.type, ...norm })
  const qkv = linear(scope, x, { weight: w.qkv, scale: w.qkvScale })
  const slopes = scope.input('slopes', 'f32', [heads], alibiSlopes(heads))
  const context = attention(scope, { qkv, batch, heads, scale: 0.3, slopes })
  const normed = layerNorm(scope, context, norm)
  const gelu = linear(scope, normed, { weight: w.gated, scale: w.gatedScale }, { gate: 'gelu' })
  const silu = gatedLinearUnit(scope, linear(scope, normed, { weight: w.gated, scale: w.gatedScale }), 'silu')
  const sum = linear(scope, gelu, { weight: w.out, scale: w.outScale, bias: w.shift }, { residual: normed })
  const pooled = meanPool(scope, sum, batch)

  const patches = recordPatches(scope, w, shape)
  const places = 1 + grid * grid
  const table = rotaryTable(grid, headDim, 1)
  const turned = linear(scope, patches, { weight: w.qkv, scale: w.qkvScale })
  rotary(scope, {
    x: turned,
    heads: 2 * heads,
    headDim,
    positions: scope.input(
      'places',
      'i32',
      [places],
      Int32Array.from({ length: places }, (_, i) => i),
    ),
    cos: scope.input('cos', 'f32', [places, headDim / 2], table.cos),
    sin: scope.input('sin', 'f32', [places, headDim / 2], table.sin),
  })
  // Of what is exactly the same everywhere: a value between two f16 ones may go either way.
  const exact = scope.input('exact', 'f32', [3, 33], wave(6, [3, 33]))
  const rounded = cast(scope, cast(scope, exact, 'f16'), 'f32')
  return new Map([
    ['embedding', x],
    ['linear', qkv],
    ['attention', context],
    ['layer-norm', normed],
    ['linear with a gate', gelu],
    ['gated-linear-unit', silu],
    ['linear with a residual', sum],
    ['mean-pool', pooled],
    ['l2-normalize', l2Normalize(scope, pooled, 10)],
    ['patch-embed', patches],
    ['rotary', turned],
    ['cast', rounded],
  ])
}

/** Values between -0.5 and 0.5 that no symmetry hides. */
function wave(seed: number, shape: Shape): Float32Array {
  const length = shape.reduce((product, dimension) => product * dimension, 1)
  return Float32Array.from({ length }, (_, i) => 0.5 * Math.sin(1.7 * i + 0.37 * i * i + seed))
}
