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
import { raggedBatch } from '../runtime/batch.ts'
import type { Device, Scope, WeightRole } from '../runtime/device.ts'
import { createReferenceDevice } from '../runtime/reference/device.ts'
import type { Shape } from '../runtime/shape.ts'
import type { Tensor } from '../runtime/tensor.ts'

/** Largest difference that float32 sums of these sizes may have from float64 ones; a wrong kernel is off by far more. */
const tolerance = 1e-5

/**
 * Runs every operation once on this very device and compares with the reference. → undefined if all is well, else what is
 * wrong, for a person to read.
 */
export async function selfTest(device: Device): Promise<string | undefined> {
  const reference = createReferenceDevice(referenceKernels)
  const expected = await runAll(reference)
  const found = await runAll(device)
  for (const [name, want] of expected) {
    const got = found.get(name)!
    const wrong = want.findIndex((value, i) => !(Math.abs(value - got[i]!) <= tolerance * Math.max(1, Math.abs(value))))
    if (wrong >= 0) return `${name} gives ${got[wrong]} where the reference gives ${want[wrong]}`
  }
  return undefined
}

async function runAll(device: Device): Promise<Map<string, Float32Array>> {
  const weights = await makeWeights(device)
  const scope = device.scope()
  try {
    const outputs = recordAll(scope, weights)
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

const hidden = 24
const heads = 3

async function makeWeights(device: Device) {
  const make = async (label: string, role: WeightRole, shape: Shape): Promise<Tensor> => {
    const tensor = device.allocate({ label, role, shape, dtype: 'f32' })
    await device.write(tensor, 'f32', wave(label.length, shape))
    return tensor
  }
  return {
    word: await make('word', 'table', [11, hidden]),
    type: await make('type', 'table', [2, hidden]),
    gain: await make('gain', 'vector', [hidden]),
    shift: await make('shift', 'vector', [hidden]),
    qkv: await make('qkv', 'matrix', [3 * hidden, hidden]),
    gated: await make('gated', 'matrix', [2 * 20, hidden]),
    out: await make('out', 'matrix', [hidden, 20]),
    patch: await make('patch', 'matrix', [hidden, 12]),
    position: await make('position', 'vector', [5 * hidden]),
  }
}

/** Both towers in miniature. */
function recordAll(scope: Scope, w: Awaited<ReturnType<typeof makeWeights>>): Map<string, Tensor> {
  const host = raggedBatch([
    [0, 1, 3],
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
  ])
  const batch = {
    host,
    offsets: scope.input('offsets', 'i32', [3], host.offsets),
    positions: scope.input('positions', 'i32', [13], host.positions),
  }
  const norm = { weight: w.gain, bias: w.shift, epsilon: 1e-6 }
  const ids = scope.input(
    'ids',
    'i32',
    [13],
    Int32Array.from({ length: 13 }, (_, i) => (i * 7) % 11),
  )
  const x = embedding(scope, { ids, word: w.word, type: w.type, ...norm })
  const qkv = linear(scope, x, { weight: w.qkv })
  const slopes = scope.input('slopes', 'f32', [heads], alibiSlopes(heads))
  const context = attention(scope, { qkv, batch, heads, scale: 0.3, slopes })
  const normed = layerNorm(scope, context, norm)
  const gelu = linear(scope, normed, { weight: w.gated }, { gate: 'gelu' })
  const silu = gatedLinearUnit(scope, linear(scope, normed, { weight: w.gated }), 'silu')
  const sum = linear(scope, gelu, { weight: w.out, bias: w.shift }, { residual: normed })
  const pooled = meanPool(scope, sum, batch)

  const pixels = scope.input('pixels', 'f32', [1, 3, 4, 4], wave(5, [48]))
  const patches = patchEmbed(scope, {
    pixels,
    patch: 2,
    weight: w.patch,
    bias: w.shift,
    classToken: w.gain,
    position: w.position,
  })
  const table = rotaryTable(2, 8, 1)
  const turned = linear(scope, patches, { weight: w.qkv })
  rotary(scope, {
    x: turned,
    heads: 2 * heads,
    headDim: 8,
    positions: scope.input('places', 'i32', [5], Int32Array.of(0, 1, 2, 3, 4)),
    cos: scope.input('cos', 'f32', [5, 4], table.cos),
    sin: scope.input('sin', 'f32', [5, 4], table.sin),
  })
  const rounded = cast(scope, cast(scope, turned, 'f16'), 'f32')
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
