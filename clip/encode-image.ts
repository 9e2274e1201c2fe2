import { l2Normalize } from '../kernels/l2-normalize/l2-normalize.ts'
import { decodeImage, type ImageInput, preprocess } from '../loaders/image/image.ts'
import { BareclipError } from '../runtime/errors.ts'
import { macrotask } from '../runtime/macrotask.ts'
import { type Embeddings, embeddingsBuilder, firstColumns, type ImageUsage } from './embeddings.ts'
import { type Engine, runPass } from './engine.ts'
import { itemError, requireFinite } from './item-error.ts'
import { type EncodeOptions, type EncodeSettings, encodeSettings, imageOptionNames } from './options.ts'

export type ImageEmbeddings = Embeddings<ImageUsage>

interface Picture {
  readonly index: number
  /** (3, size, size), normalised */
  readonly pixels: Float32Array
  readonly usage: ImageUsage
}

export async function encodeImage(
  engine: Engine,
  input: ImageInput | readonly ImageInput[],
  options: EncodeOptions = {},
): Promise<ImageEmbeddings> {
  const { vision: tower, dimensions: fallback } = engine.model
  if (!tower) throw new BareclipError('UNSUPPORTED_MODEL', 'this model has no vision tower: it embeds text only')
  const settings = encodeSettings(options, imageOptionNames, tower.hidden, fallback)
  const { signal, onProgress } = options
  signal?.throwIfAborted()

  const images = Array.isArray(input) ? (input as readonly ImageInput[]) : [input as ImageInput]
  const total = images.length
  const builder = embeddingsBuilder<ImageUsage>(total, settings.dimensions)
  const perPass = Math.max(1, Math.floor(engine.passTokens / tower.tokens))
  const report = (done: number) => onProgress?.({ stage: 'image', done, total, unit: 'images' })
  for (let from = 0; from < total; from += perPass) {
    const pass: Picture[] = []
    for (let index = from; index < Math.min(total, from + perPass); index++) {
      try {
        pass.push({ index, ...(await readPicture(engine, images[index]!, signal)) })
      } catch (error) {
        builder.fail(index, itemError({ kind: 'image', index, of: total, onError: settings.onError }, error))
      }
      await macrotask()
      signal?.throwIfAborted()
    }
    const rows = await embedPictures(engine, tower.hidden, pass, settings, signal, (share) =>
      report(from + share * pass.length),
    )
    pass.forEach(({ index, usage }, row) => {
      const vector = rows.subarray(row * settings.dimensions, (row + 1) * settings.dimensions)
      try {
        requireFinite(engine.dtype, vector)
        builder.set(index, vector, usage)
      } catch (error) {
        builder.fail(index, itemError({ kind: 'image', index, of: total, onError: settings.onError }, error))
      }
    })
  }
  report(total)
  return builder.result
}

async function readPicture({ decoding, preprocessing }: Engine, image: ImageInput, signal: AbortSignal | undefined) {
  const decoded = await decodeImage(image, { ...decoding, signal })
  const { width, height } = decoded
  const tiles = Math.ceil(width / 224) * Math.ceil(height / 224)
  return { pixels: preprocess(decoded, preprocessing), usage: { width, height, tiles } }
}

/** → (pictures, dimensions) */
async function embedPictures(
  engine: Engine,
  hidden: number,
  pictures: readonly Picture[],
  { dimensions, normalize }: EncodeSettings,
  signal: AbortSignal | undefined,
  onProgress: (share: number) => void,
): Promise<Float32Array> {
  if (pictures.length === 0) return new Float32Array(0)
  const size = pictures[0]!.pixels.length
  const pixels = new Float32Array(pictures.length * size)
  pictures.forEach((picture, i) => {
    pixels.set(picture.pixels, i * size)
  })
  const [rows] = await runPass(
    engine,
    (scope) => {
      const pooled = engine.model.vision!.record(scope, pixels, pictures.length)
      return [normalize ? l2Normalize(scope, pooled, dimensions) : pooled]
    },
    { signal, onProgress },
  )
  return normalize ? (rows as Float32Array) : firstColumns(rows as Float32Array, hidden, dimensions)
}
