import { type BenchCase, caseImages } from '../cases.ts'
import type { Prepare } from './measure.ts'
import { refuse, serve } from './protocol.ts'
import { peerTexts } from './words.ts'

interface Values {
  readonly data: Float32Array
}

type Model = (inputs: object) => Promise<Readonly<Record<string, Values | undefined>>>

interface Loader<T> {
  from_pretrained(name: string, options?: object): Promise<T>
}

interface Transformers {
  env: { version: string; localModelPath: string; allowRemoteModels: boolean }
  AutoTokenizer: Loader<(texts: readonly string[], options: object) => object>
  AutoProcessor: Loader<{ image_processor(images: readonly unknown[]): Promise<object> }>
  JinaCLIPTextModel: Loader<Model>
  JinaCLIPVisionModel: Loader<Model>
  RawImage: new (data: Uint8Array, width: number, height: number, channels: number) => unknown
}

/** Arguments: the folder that holds the folder `transformers`, f32 or q8, threads. */
const [folder, dtype, threads] = process.argv.slice(2) as [string, string, string]

try {
  const name = '@huggingface/transformers'
  const transformers = (await import(name)) as Transformers
  transformers.env.localModelPath = folder
  transformers.env.allowRemoteModels = false
  const title = `@huggingface/transformers ${transformers.env.version} on onnxruntime-node, ${dtype}, ${threads} threads`
  serve(title, prepared(transformers))
} catch (error) {
  refuse(error)
}

/** Texts and pictures in, as a user calls it: its own tokenizer, padding, normalising of pixels. */
function prepared(transformers: Transformers): Prepare {
  const { AutoTokenizer, AutoProcessor, JinaCLIPTextModel, JinaCLIPVisionModel, RawImage } = transformers
  const options = (tower: 'text' | 'vision') => ({
    dtype: dtype === 'q8' ? 'q8' : 'fp32',
    device: 'cpu',
    model_file_name: tower,
    session_options: { intraOpNumThreads: Number(threads), interOpNumThreads: 1 },
  })
  const text = once(async () => {
    const tokenizer = await AutoTokenizer.from_pretrained('transformers')
    const model = await JinaCLIPTextModel.from_pretrained('transformers', options('text'))
    return async (texts: readonly string[]) => {
      const { text_embeddings } = await model(tokenizer(texts, { padding: true, truncation: true }))
      return text_embeddings!.data
    }
  })
  const vision = once(async () => {
    const processor = await AutoProcessor.from_pretrained('transformers')
    const model = await JinaCLIPVisionModel.from_pretrained('transformers', options('vision'))
    return async (images: readonly unknown[]) => {
      const { image_embeddings } = await model(await processor.image_processor(images))
      return image_embeddings!.data
    }
  })
  return async (item: BenchCase) => {
    if (item.images === 0) {
      const [embed, texts] = [await text(), peerTexts(item)]
      return async () => ({ data: await embed(texts), rows: texts.length })
    }
    const pictures = caseImages(item, 224).map(({ data, width, height }) => new RawImage(data, width, height, 3))
    const embed = await vision()
    return async () => ({ data: await embed(pictures), rows: pictures.length })
  }
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  return () => {
    made ??= make()
    return made
  }
}
