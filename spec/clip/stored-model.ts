import { readFileSync } from 'node:fs'
import { type SynthOptions, synthModel } from '../../apps/synth/checkpoint.ts'
import { type Clip, load, type ModelFiles, quantize } from '../../index.ts'
import { openSafetensors, type TensorEntry } from '../../loaders/safetensors/safetensors.ts'
import { encodeSafetensors } from '../../loaders/safetensors/write.ts'
import { openSource } from '../../loaders/source.ts'

/** A model in memory. */
export interface StoredModel extends ModelFiles {
  readonly weights: Uint8Array
}

const tokenizer = JSON.parse(readFileSync(new URL('../fixtures/tokenizer/tokenizer.json', import.meta.url), 'utf8'))

const made = new Map<string, StoredModel>()

/** The small generated model. */
export function synthFiles(options: Pick<SynthOptions, 'dtype' | 'outliers'> = {}): StoredModel {
  const key = JSON.stringify(options)
  const { config, weights } = made.get(key) ?? synthModel({ size: 'tiny-e2e', ...options })
  const model = { config: config as unknown as Record<string, unknown>, tokenizer, weights }
  made.set(key, model)
  return model
}

export async function quantized(model: StoredModel, dtype: 'f16' | 'q12' | 'q8'): Promise<StoredModel> {
  const pieces: Uint8Array[] = []
  await quantize(model, { dtype }, (piece) => void pieces.push(piece.slice()))
  return { ...model, weights: new Uint8Array(Buffer.concat(pieces)) }
}

export interface StoredTensor {
  dtype: TensorEntry['dtype']
  shape: readonly number[]
  bytes: Uint8Array
}

export async function readStored(weights: Uint8Array) {
  const file = await openSafetensors(await openSource(weights))
  const tensors = new Map<string, StoredTensor>()
  for (const { name, dtype, shape } of file.tensors.values()) {
    tensors.set(name, { dtype, shape, bytes: Uint8Array.from(await file.read(name)) })
  }
  return { tensors, metadata: { ...file.metadata } as Record<string, string> }
}

/** The model with its weights changed. */
export async function changed(
  model: StoredModel,
  change: (tensors: Map<string, StoredTensor>, metadata: Record<string, string>) => void,
): Promise<StoredModel> {
  const { tensors, metadata } = await readStored(model.weights)
  change(tensors, metadata)
  const list = [...tensors].map(([name, { bytes, ...tensor }]) => ({ name, ...tensor, bytes: () => bytes }))
  return { ...model, weights: encodeSafetensors(list, metadata) }
}

/** Of a tensor stored as float32: a view, to read and to change. */
export const floatsOf = ({ bytes }: StoredTensor) => new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)

export const device = 'reference'

export const picture = {
  data: Uint8Array.from({ length: 48 * 48 * 3 }, (_, i) => (i * 7) % 251),
  width: 48,
  height: 48,
}

export async function embed(clip: Clip): Promise<[Float32Array, Float32Array]> {
  return [(await clip.encodeText(['a blue bird', 'x'])).data, (await clip.encodeImage(picture)).data]
}

export async function embedWith(model: StoredModel, dtype?: 'f32' | 'f16' | 'q12' | 'q8') {
  using clip = await load(model, { device, dtype })
  return await embed(clip)
}
