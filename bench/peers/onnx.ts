import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { decodeImage, preprocess, readPreprocessing } from '../../loaders/image/image.ts'
import { type BenchCase, caseImages } from '../cases.ts'
import { type Prepare, refuse, serve } from './protocol.ts'
import { peerTokens } from './words.ts'

interface Session {
  run(feeds: object): Promise<Readonly<Record<string, { readonly data: Float32Array } | undefined>>>
}

interface Ort {
  env: { wasm: { numThreads: number }; versions: { common: string } }
  Tensor: new (type: string, data: unknown, shape: readonly number[]) => unknown
  InferenceSession: { create(graph: unknown, options: object): Promise<Session> }
}

/** Arguments: web or node, a folder with the graphs and model.safetensors, f32 or q8, threads. */
const [kind, folder, dtype, threads] = process.argv.slice(2) as [string, string, string, string]

try {
  const ort = (await import(`onnxruntime-${kind}`)) as Ort
  if (kind === 'web') ort.env.wasm.numThreads = Number(threads)
  serve(`onnxruntime-${kind} ${ort.env.versions.common}, ${dtype}, ${threads} threads`, prepared(ort))
} catch (error) {
  refuse(error)
}

/** A tower is loaded with the first case that needs it. */
function prepared(ort: Ort): Prepare {
  const sessions = new Map<string, Promise<Session>>()
  const session = (tower: 'text' | 'vision') => {
    const found = sessions.get(tower) ?? open(ort, tower)
    sessions.set(tower, found)
    return found
  }
  return async (item) => {
    const tower = item.images > 0 ? 'vision' : 'text'
    const feeds = item.images > 0 ? await imageFeeds(ort, item) : textFeeds(ort, item)
    const graph = await session(tower)
    return async () => {
      const { text_embeddings: text, image_embeddings: image } = await graph.run(feeds)
      return { data: (text ?? image)!.data, rows: item.lengths.length + item.images }
    }
  }
}

function open(ort: Ort, tower: 'text' | 'vision'): Promise<Session> {
  const name = `${tower}${dtype === 'q8' ? '-q8' : ''}.onnx`
  if (kind === 'node') {
    const options = { intraOpNumThreads: Number(threads), interOpNumThreads: 1 }
    return ort.InferenceSession.create(join(folder, name), options)
  }
  const data = new Uint8Array(readFileSync(join(folder, 'model.safetensors')))
  return ort.InferenceSession.create(new Uint8Array(readFileSync(join(folder, name))), {
    externalData: [{ path: 'model.safetensors', data }],
  })
}

/** As transformers.js does: padded to the longest text. The ids are there beforehand: not timed here, timed for ours. */
function textFeeds(ort: Ort, item: BenchCase): object {
  const texts = peerTokens(item)
  const longest = Math.max(...item.lengths)
  const shape = [texts.length, longest]
  const ids = new BigInt64Array(texts.length * longest)
  const mask = new BigInt64Array(texts.length * longest)
  texts.forEach((tokens, text) => {
    ids.set(BigInt64Array.from(tokens, BigInt), text * longest)
    mask.fill(1n, text * longest, text * longest + tokens.length)
  })
  return { input_ids: new ort.Tensor('int64', ids, shape), attention_mask: new ort.Tensor('int64', mask, shape) }
}

/** Resized and normalised beforehand: not timed here, timed for ours. */
async function imageFeeds(ort: Ort, item: BenchCase): Promise<object> {
  const preprocessing = readPreprocessing(JSON.parse(readFileSync(join(folder, 'preprocessor_config.json'), 'utf8')))
  const { size } = preprocessing
  const pixels = new Float32Array(item.images * 3 * size * size)
  for (const [i, image] of caseImages(item, size).entries()) {
    pixels.set(preprocess(await decodeImage(image), preprocessing), i * 3 * size * size)
  }
  return { pixel_values: new ort.Tensor('float32', pixels, [item.images, 3, size, size]) }
}
