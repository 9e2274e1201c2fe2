import { readFileSync } from 'node:fs'
import { l2Normalize } from '../../kernels/l2-normalize/l2-normalize.ts'
import { planModel } from '../../models/jina-clip.ts'
import type { Model } from '../../models/tower.ts'
import { type WeightDtype, weightBuilder } from '../../models/weights.ts'
import { type RaggedBatch, raggedBatch } from '../../runtime/batch.ts'
import type { Device, Scope } from '../../runtime/device.ts'
import type { Tensor } from '../../runtime/tensor.ts'
import { type Fixture, readFixture } from '../safetensors-fixture.ts'

const golden = new URL('../fixtures/golden/', import.meta.url)

export const goldenFixture = (path: string): Map<string, Fixture> => readFixture(new URL(path, golden))

/** Builds a model on a device from a stored checkpoint, without clip's loader. */
export async function goldenModel(
  device: Device,
  folder: string,
  file: string,
  dtype: WeightDtype = 'f32',
): Promise<Model> {
  const tensors = goldenFixture(`${folder}/${file}`)
  const weights = weightBuilder(device, { name: file, tensors }, dtype)
  const config: unknown = JSON.parse(readFileSync(new URL(`${folder}/config.json`, golden), 'utf8'))
  const model = planModel(config).build(weights)
  for (const fill of weights.fills) {
    const { dtype: from, values } = tensors.get(fill.name)!
    await fill.write(from, values, 0)
  }
  return model
}

export interface Result {
  readonly pooled: Float32Array
  readonly embedding: Float32Array
  /** The first 32 components, normalised. */
  readonly truncated: Float32Array
  readonly trace: ReadonlyMap<string, Float32Array>
  readonly batch: RaggedBatch | undefined
}

/** ids: (texts, length), padded with 0 */
export function runText(device: Device, model: Model, ids: Fixture, traced = false): Promise<Result> {
  const [texts = 0, length = 0] = ids.shape
  const rows = Array.from({ length: texts }, (_, b) => Array.from(ids.values.subarray(b * length, (b + 1) * length)))
  const positions = rows.map((row) => row.flatMap((id, s) => (id === model.text.padId ? [] : [s])))
  const batch = raggedBatch(positions)
  const kept = Int32Array.from(rows.flatMap((row) => row.filter((id) => id !== model.text.padId)))
  return run(device, traced, batch, (scope, trace) => model.text.record(scope, kept, batch, trace))
}

/** pixels: (images, 3, size, size) */
export function runVision(device: Device, model: Model, pixels: Fixture, traced = false): Promise<Result> {
  const images = pixels.shape[0] ?? 0
  return run(device, traced, undefined, (scope, trace) =>
    model.vision!.record(scope, pixels.values as Float32Array, images, trace),
  )
}

async function run(
  device: Device,
  traced: boolean,
  batch: RaggedBatch | undefined,
  record: (scope: Scope, trace?: (name: string, tensor: Tensor) => void) => Tensor,
): Promise<Result> {
  const scope = device.scope()
  try {
    const inside = new Map<string, Tensor>()
    const note = (name: string, tensor: Tensor) => inside.set(name, scope.output(tensor))
    const pooled = scope.output(record(scope, traced ? note : undefined))
    const embedding = scope.output(l2Normalize(scope, pooled, pooled.shape[1]!))
    const truncated = scope.output(l2Normalize(scope, pooled, 32))
    await device.run(scope)
    const trace = new Map<string, Float32Array>()
    for (const [name, tensor] of inside) trace.set(name, (await device.read(tensor)) as Float32Array)
    const read = async (tensor: Tensor) => (await device.read(tensor)) as Float32Array
    return {
      pooled: await read(pooled),
      embedding: await read(embedding),
      truncated: await read(truncated),
      trace,
      batch,
    }
  } finally {
    scope.end()
  }
}
