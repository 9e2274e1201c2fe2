import type { ImageInput } from '../loaders/image/image.ts'
import type { Tokenizer } from '../loaders/tokenizer/tokenizer.ts'
import type { DeviceInfo, MemoryLedger } from '../runtime/device.ts'
import { BareclipError } from '../runtime/errors.ts'
import { type Classification, type ClassifyOptions, classify, classifyAll } from './classify.ts'
import type { ModelDtype } from './dtype.ts'
import { encodeImage, type ImageEmbeddings } from './encode-image.ts'
import { encodeText, type TextEmbeddings } from './encode-text.ts'
import type { Engine } from './engine.ts'
import type { EncodeOptions, TextOptions } from './options.ts'
import { type RankedDocument, type RankInput, rank } from './rank.ts'
import type { TextInput } from './sequences.ts'

export interface ClipInfo extends DeviceInfo {
  /** Where the model came from. */
  readonly name: string
  readonly type: 'jina-clip' | 'jina-bert'
  readonly dtype: ModelDtype
  /** Components of an embedding. */
  readonly dimensions: number
  /** Width and height of what the vision tower sees; undefined for a text model. */
  readonly imageSize: number | undefined
}

/** A loaded model. Calls may overlap: forward passes queue. Disposed by `dispose()` or at the end of a `using` block. */
export interface Clip extends Disposable {
  readonly info: ClipInfo
  readonly tokenizer: Tokenizer
  encodeText(texts: TextInput | readonly TextInput[], options?: TextOptions): Promise<TextEmbeddings>
  encodeImage(images: ImageInput | readonly ImageInput[], options?: EncodeOptions): Promise<ImageEmbeddings>
  /** Zero-shot: labels by falling probability. One list per image where an array is given. */
  classify(image: ImageInput, labels: readonly string[], options?: ClassifyOptions): Promise<Classification[]>
  classify(
    images: readonly ImageInput[],
    labels: readonly string[],
    options?: ClassifyOptions,
  ): Promise<Classification[][]>
  /** Documents by falling cosine with the query. Texts and images may be mixed. */
  rank(query: RankInput, documents: readonly RankInput[], options?: TextOptions): Promise<RankedDocument[]>
  /** In bytes. */
  memory(): MemoryLedger
  /** Frees weights and scratch. Calls that are under way reject with DISPOSED. */
  dispose(): void
}

export function createClip(engine: Engine, { name }: Pick<ClipInfo, 'name'>): Clip {
  const { device, model, tokenizer, dtype } = engine
  let disposed = false
  const live = () => {
    if (disposed) throw new BareclipError('DISPOSED', 'this model was disposed: load it again')
  }
  const dispose = () => {
    disposed = true
    device.dispose()
  }
  return {
    info: {
      ...device.info,
      name,
      type: model.type,
      dtype,
      dimensions: model.dimensions,
      imageSize: model.vision?.imageSize,
    },
    tokenizer,
    async encodeText(texts, options) {
      live()
      return encodeText(engine, texts, options)
    },
    async encodeImage(images, options) {
      live()
      return encodeImage(engine, images, options)
    },
    classify: (async (
      images: ImageInput | readonly ImageInput[],
      labels: readonly string[],
      options?: ClassifyOptions,
    ) => {
      live()
      return Array.isArray(images)
        ? classifyAll(engine, images as readonly ImageInput[], labels, options)
        : classify(engine, images as ImageInput, labels, options)
    }) as Clip['classify'],
    async rank(query, documents, options) {
      live()
      return rank(engine, query, documents, options)
    },
    memory: () => device.memory(),
    dispose,
    [Symbol.dispose ?? Symbol.for('Symbol.dispose')]: dispose,
  }
}
