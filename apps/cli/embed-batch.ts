import type { Clip } from '../../clip/clip.ts'
import type { TextOptions } from '../../clip/options.ts'
import type { TextInput } from '../../clip/sequences.ts'
import { BareclipError, invariant } from '../../runtime/errors.ts'
import type { Entry } from './input/entries.ts'
import { inFile, readImages } from './input/image-files.ts'
import type { Row } from './output/rows.ts'

/** What jina's hosted API counts for a tile of 224 × 224. */
const tokensPerTile = 1000

export type EmbedSettings = TextOptions & { readonly signal: AbortSignal }

/** One row per entry, in order. The texts are embedded together, then the pictures. */
export async function embedBatch(clip: Clip, entries: readonly Entry[], settings: EmbedSettings): Promise<Row[]> {
  const rows = new Map<number, Row>()
  const texts: { index: number; text: TextInput }[] = []
  const pictures: { index: number; path: string }[] = []
  for (const { index, item, error } of entries) {
    if (error) rows.set(index, { index, error })
    else if ('image' in item) pictures.push({ index, path: item.image })
    else texts.push({ index, text: 'text' in item ? item.text : item })
  }
  for (const row of await embedTexts(clip, texts, settings)) rows.set(row.index, row)
  for await (const row of embedPictures(clip, pictures, settings)) rows.set(row.index, row)
  return entries.map(({ index }) => {
    const row = rows.get(index)
    invariant(row, `item ${index} got no row`)
    return row
  })
}

async function embedTexts(
  clip: Clip,
  texts: readonly { index: number; text: TextInput }[],
  settings: EmbedSettings,
): Promise<Row[]> {
  if (texts.length === 0) return []
  const encoded = await clip.encodeText(
    texts.map(({ text }) => text),
    { ...settings, onError: 'keep' },
  )
  return texts.map(({ index }, i) => {
    const { tokens = 0, truncated = false } = encoded.usage[i] ?? {}
    const error = encoded.errors.get(i)
    return error ? { index, error } : { index, vector: encoded.row(i), usage: { tokens, truncated } }
  })
}

async function* embedPictures(
  clip: Clip,
  pictures: readonly { index: number; path: string }[],
  { dimensions, normalize, signal }: EmbedSettings,
): AsyncGenerator<Row> {
  const paths = pictures.map(({ path }) => path)
  if (clip.info.imageSize === undefined) {
    const error = new BareclipError('UNSUPPORTED_MODEL', 'this model has no vision tower: it embeds text only')
    for (const { index } of pictures) yield { index, error }
    return
  }
  for await (const group of readImages(paths, signal)) {
    const read = group.filter((file) => file.bytes !== undefined)
    const encoded = await clip.encodeImage(
      read.map(({ bytes }) => bytes!),
      { dimensions, normalize, signal, onError: 'keep' },
    )
    for (const { index, error } of group) if (error) yield { index: pictures[index]!.index, error }
    for (const [i, file] of read.entries()) {
      const { index } = pictures[file.index]!
      const error = encoded.errors.get(i)
      if (error) yield { index, error: inFile(file.path, error) }
      else {
        const { width = 0, height = 0, tiles = 0 } = encoded.usage[i] ?? {}
        const usage = { tokens: tokensPerTile * tiles, truncated: false, width, height, tiles }
        yield { index, vector: encoded.row(i), usage }
      }
    }
  }
}
