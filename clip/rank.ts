import type { ImageInput } from '../loaders/image/image.ts'
import { cosine } from './classify.ts'
import { encodeImage } from './encode-image.ts'
import { encodeText } from './encode-text.ts'
import type { Engine } from './engine.ts'
import { invalid, type TextOptions } from './options.ts'
import type { TextInput } from './sequences.ts'

/** A string or { tokens } is a text; anything else is taken for an image. */
export type RankInput = TextInput | ImageInput

export interface RankedDocument {
  /** Place in the list that was given. */
  readonly index: number
  readonly cosine: number
}

/** Failed documents (`onError: 'keep'`) come last, with NaN. */
export async function rank(
  engine: Engine,
  query: RankInput,
  documents: readonly RankInput[],
  options: TextOptions = {},
): Promise<RankedDocument[]> {
  if (!Array.isArray(documents)) throw invalid('documents', 'an array', documents)
  const settings = { ...options, normalize: true }
  const [target] = await encodeMixed(engine, [query], { ...settings, onError: 'throw' })
  const vectors = await encodeMixed(engine, documents, settings)
  const worth = (value: number) => (Number.isNaN(value) ? Number.NEGATIVE_INFINITY : value)
  return vectors
    .map((vector, index) => ({ index, cosine: cosine(target!, vector) }))
    .sort((a, b) => (worth(b.cosine) === worth(a.cosine) ? a.index - b.index : worth(b.cosine) - worth(a.cosine)))
}

/** One normalised vector per item, in order. */
async function encodeMixed(engine: Engine, items: readonly RankInput[], options: TextOptions): Promise<Float32Array[]> {
  const indices = items.map((_, i) => i)
  const texts = indices.filter((i) => isText(items[i]!))
  const images = indices.filter((i) => !isText(items[i]!))
  const { maxTokens, onLongText, ...shared } = options
  const vectors: Float32Array[] = new Array(items.length)
  if (texts.length > 0) {
    const encoded = await encodeText(
      engine,
      texts.map((i) => items[i] as TextInput),
      options,
    )
    texts.forEach((i, row) => {
      vectors[i] = encoded.row(row)
    })
  }
  if (images.length > 0) {
    const encoded = await encodeImage(
      engine,
      images.map((i) => items[i] as ImageInput),
      shared,
    )
    images.forEach((i, row) => {
      vectors[i] = encoded.row(row)
    })
  }
  return vectors
}

function isText(item: RankInput): item is TextInput {
  return typeof item === 'string' || (typeof item === 'object' && item !== null && 'tokens' in item)
}
