import type { ImageInput } from '../loaders/image/image.ts'
import { BareclipError } from '../runtime/errors.ts'
import { encodeImage } from './encode-image.ts'
import { encodeText } from './encode-text.ts'
import type { Engine } from './engine.ts'
import { invalid, type TextOptions } from './options.ts'

export interface ClassifyOptions extends Omit<TextOptions, 'normalize'> {
  /** What is embedded for a label; `{}` stands for the label. Default: 'a photo of a {}'. */
  readonly template?: string | undefined
}

export interface Classification {
  readonly label: string
  /** Softmax over the labels of exp(logit_scale) · cosine. */
  readonly probability: number
  readonly cosine: number
}

export async function classify(
  engine: Engine,
  image: ImageInput,
  labels: readonly string[],
  options?: ClassifyOptions,
): Promise<Classification[]> {
  const [result] = await classifyAll(engine, [image], labels, options)
  return result!
}

/** The labels are embedded once. A failed image (`onError: 'keep'`) has NaN everywhere. */
export async function classifyAll(
  engine: Engine,
  images: readonly ImageInput[],
  labels: readonly string[],
  { template = 'a photo of a {}', ...options }: ClassifyOptions = {},
): Promise<Classification[][]> {
  if (!engine.model.vision)
    throw new BareclipError('UNSUPPORTED_MODEL', 'this model has no vision tower: it embeds text only')
  if (!Array.isArray(labels) || labels.length === 0) throw invalid('labels', 'an array of one label or more', labels)
  for (const label of labels) if (typeof label !== 'string') throw invalid('a label', 'a string', label)
  if (typeof template !== 'string' || !template.includes('{}'))
    throw invalid('template', "a string that holds '{}'", template)
  const { maxTokens, onLongText, ...shared } = options
  const texts = await encodeText(
    engine,
    labels.map((label) => template.replaceAll('{}', () => label)),
    {
      ...options,
      normalize: true,
      onError: 'throw',
    },
  )
  const pictures = await encodeImage(engine, images, { ...shared, normalize: true })
  const temperature = engine.model.temperature()
  return images.map((_, i) => {
    const cosines = labels.map((_, l) => cosine(pictures.row(i), texts.row(l)))
    const probabilities = softmax(cosines.map((value) => value * temperature))
    return labels
      .map((label, l) => ({ label, probability: probabilities[l]!, cosine: cosines[l]! }))
      .sort((a, b) => b.probability - a.probability || b.cosine - a.cosine)
  })
}

/** Of two vectors of length 1. */
export function cosine(a: Float32Array, b: Float32Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}

function softmax(xs: readonly number[]): number[] {
  const max = xs.reduce((largest, x) => Math.max(largest, x), Number.NEGATIVE_INFINITY)
  const exponentials = xs.map((x) => Math.exp(x - max))
  const sum = exponentials.reduce((total, value) => total + value, 0)
  return exponentials.map((value) => value / sum)
}
