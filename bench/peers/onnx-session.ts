import { decodeImage, preprocess, readPreprocessing } from '../../loaders/image/image.ts'
import { convert } from '../../runtime/dtype.ts'
import { type BenchCase, caseImages } from '../cases.ts'
import type { Prepare } from './measure.ts'
import { peerTokens } from './words.ts'

export interface Session {
  run(feeds: object): Promise<Readonly<Record<string, { readonly data: Float32Array } | undefined>>>
}

export interface Ort {
  env: { wasm: { numThreads: number; wasmPaths?: string }; versions: { common: string }; logLevel?: string }
  Tensor: new (type: string, data: unknown, shape: readonly number[]) => unknown
  InferenceSession: { create(graph: unknown, options: object): Promise<Session> }
}

export interface OnnxPlace {
  open(tower: 'text' | 'vision'): Promise<Session>
  /** preprocessor_config.json, parsed. */
  preprocessor(): Promise<unknown>
}

/** The graph of a tower and the weights behind it, as bytes; of f16 graphs rounded to float16 here. */
export function onnxFiles(tower: 'text' | 'vision', dtype: string) {
  const suffix = dtype === 'f32' ? '' : `-${dtype}`
  return {
    graph: `${tower}${suffix}.onnx`,
    external: (checkpoint: Uint8Array) =>
      dtype === 'f16'
        ? { path: 'model.f16', data: halfData(checkpoint) }
        : { path: 'model.safetensors', data: checkpoint },
  }
}

/** The tensors of a safetensors file in f32, end to end in f16. */
function halfData(checkpoint: Uint8Array): Uint8Array {
  const { buffer, byteOffset, byteLength } = checkpoint
  const start = 8 + Number(new DataView(buffer, byteOffset).getBigUint64(0, true))
  const values = new Float32Array(buffer, byteOffset + start, (byteLength - start) / 4)
  const halves = new Uint16Array(values.length)
  convert('f32', values, 'f16', halves)
  return new Uint8Array(halves.buffer)
}

/** A tower is loaded with the first case that needs it. */
export function onnxPrepared({ Tensor }: Ort, place: OnnxPlace): Prepare {
  const sessions = new Map<string, Promise<Session>>()
  const session = (tower: 'text' | 'vision') => {
    const found = sessions.get(tower) ?? place.open(tower)
    sessions.set(tower, found)
    return found
  }
  return async (item) => {
    const feeds = item.images > 0 ? await imageFeeds(Tensor, item, place) : textFeeds(Tensor, item)
    const graph = await session(item.images > 0 ? 'vision' : 'text')
    return async () => {
      const { text_embeddings: text, image_embeddings: image } = await graph.run(feeds)
      return { data: (text ?? image)!.data, rows: item.lengths.length + item.images }
    }
  }
}

/** As transformers.js does: padded to the longest text. The ids are there beforehand: not timed here, timed for ours. */
function textFeeds(Tensor: Ort['Tensor'], item: BenchCase): object {
  const texts = peerTokens(item)
  const longest = Math.max(...item.lengths)
  const shape = [texts.length, longest]
  const ids = new BigInt64Array(texts.length * longest)
  const mask = new BigInt64Array(texts.length * longest)
  texts.forEach((tokens, text) => {
    ids.set(BigInt64Array.from(tokens, BigInt), text * longest)
    mask.fill(1n, text * longest, text * longest + tokens.length)
  })
  return { input_ids: new Tensor('int64', ids, shape), attention_mask: new Tensor('int64', mask, shape) }
}

/** Resized and normalised beforehand: not timed here, timed for ours. */
async function imageFeeds(Tensor: Ort['Tensor'], item: BenchCase, place: OnnxPlace): Promise<object> {
  const preprocessing = readPreprocessing(await place.preprocessor())
  const { size } = preprocessing
  const pixels = new Float32Array(item.images * 3 * size * size)
  for (const [i, image] of caseImages(item, size).entries()) {
    pixels.set(preprocess(await decodeImage(image), preprocessing), i * 3 * size * size)
  }
  return { pixel_values: new Tensor('float32', pixels, [item.images, 3, size, size]) }
}
