import { createHash } from 'node:crypto'
import { createReadStream, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { BareclipError } from '../../runtime/errors.ts'
import { captions, drawings } from './items.ts'
import { loadFloat64 } from './truth.ts'

/** Embeddings in float64 of the first `texts` captions and `images` drawings, one row each. */
export interface Truth {
  /** SHA-256 of the weights' file. */
  readonly weights: string
  readonly text: readonly Float64Array[]
  /** Empty where there is no vision tower. */
  readonly image: readonly Float64Array[]
}

export interface TruthOptions {
  readonly texts: number
  readonly images: number
  /** Kept in this file, and taken from there the next time: at full size they take many minutes. */
  readonly file?: string | undefined
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((text: string) => void) | undefined
}

/** model: a folder. Throws what `load` throws, INVALID_ARGUMENT for a file of another model or of fewer items. */
export async function truthOf(model: string | URL, options: TruthOptions): Promise<Truth> {
  const { texts, images, file, signal, onProgress } = options
  const weights = await sha256(weightsOf(model))
  if (file !== undefined && existsSync(file)) return readTruth(file, weights, texts, images)
  if (file !== undefined && !existsSync(dirname(file))) {
    throw new BareclipError('WRITE_FAILED', `cannot write ${file}: no such folder: ${dirname(file)}`)
  }
  const float64 = await loadFloat64(model, signal)
  try {
    const embed = async <T>(
      what: string,
      items: readonly T[],
      perPass: number,
      pass: (items: readonly T[]) => Promise<Float64Array[]>,
    ) => {
      const rows: Float64Array[] = []
      for (let from = 0; from < items.length; from += perPass) {
        onProgress?.(`float64: ${what} ${from + 1} of ${items.length}`)
        rows.push(...(await pass(items.slice(from, from + perPass))))
      }
      return rows
    }
    const { imageSize } = float64
    const text = await embed('text', captions(texts), 16, float64.texts)
    const pictures = imageSize === undefined ? [] : drawings(images, imageSize)
    const image = await embed('image', pictures, 1, float64.images)
    if (file !== undefined) {
      const rows = (of: readonly Float64Array[]) => of.map((row) => [...row])
      writeFileSync(file, JSON.stringify({ schema, weights, text: rows(text), image: rows(image) }))
    }
    return { weights, text, image }
  } finally {
    float64.dispose()
  }
}

const schema = 'bareclip-float64-1'

const weightsOf = (model: string | URL) =>
  typeof model === 'string' ? `${model}/model.safetensors` : new URL('model.safetensors', model)

function readTruth(file: string, weights: string, texts: number, images: number): Truth {
  const refuse = (why: string) => new BareclipError('INVALID_ARGUMENT', `${file}: ${why}; remove it, or name another`)
  const kept = keptIn(readFileSync(file, 'utf8'))
  if (kept?.schema !== schema) throw refuse('no file that --truth wrote')
  if (kept.weights !== weights) throw refuse('made from other weights')
  const enough = kept.text.length >= texts && (kept.image.length === 0 || kept.image.length >= images)
  if (!enough) throw refuse(`it holds ${kept.text.length} texts and ${kept.image.length} images`)
  const rows = (of: number[][], count: number) => of.slice(0, count).map((row) => Float64Array.from(row))
  return { weights, text: rows(kept.text, texts), image: rows(kept.image, images) }
}

interface Kept {
  readonly schema: unknown
  readonly weights: unknown
  readonly text: number[][]
  readonly image: number[][]
}

function keptIn(text: string): Kept | undefined {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Throws MODEL_NOT_FOUND. */
async function sha256(path: string | URL): Promise<string> {
  const hash = createHash('sha256')
  try {
    for await (const piece of createReadStream(path)) hash.update(piece as Uint8Array)
  } catch (cause) {
    throw new BareclipError('MODEL_NOT_FOUND', `cannot read ${path}: bareclip synth DIR makes a model`, { cause })
  }
  return hash.digest('hex')
}
