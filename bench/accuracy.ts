import { type Clip, load } from '../index.ts'

const words =
  'a small bird sits on the long branch of an old tree and sings to the quiet morning over the blue lake'.split(' ')

/** Texts of 3 to about 500 tokens. */
const texts = [1, 8, 60, 400].map((count) =>
  Array.from({ length: count }, (_, i) => words[(i * i + count) % words.length]).join(' '),
)

const size = 224

/** A gradient, a grid, noise. */
const pictures = [
  (x: number, y: number, c: number) => (c === 0 ? x : c === 1 ? y : (x + y) / 2),
  (x: number, y: number, c: number) => (((x >> 4) + (y >> 4) + c) % 3) * 100,
  (x: number, y: number, c: number) => (x * 7919 + y * 104_729 + c * 31 + ((x * y) % 251) * 13) % 256,
].map((colour) => ({
  data: Uint8Array.from({ length: size * size * 3 }, (_, i) => {
    const pixel = Math.floor(i / 3)
    return colour(pixel % size, Math.floor(pixel / size), i % 3)
  }),
  ...{ width: size, height: size },
}))

/** What each dtype does to the embeddings of a model, against the same model in f32. folder: a checkpoint of floats */
export async function benchAccuracy(folder: string | undefined): Promise<void> {
  const expected = await embeddings(folder, 'f32')
  console.log('| dtype | text: least cosine | largest difference | image: least cosine | largest difference |')
  console.log('|---|---|---|---|---|')
  for (const dtype of ['f16', 'q12', 'q8'] as const) {
    const found = await embeddings(folder, dtype)
    const cells = found.flatMap((rows, kind) => {
      const pairs = rows.map((row, i) => compare(row, expected[kind]![i]!))
      const cosine = Math.min(...pairs.map((pair) => pair.cosine))
      const difference = Math.max(...pairs.map((pair) => pair.difference))
      return rows.length > 0 ? [cosine.toFixed(6), difference.toExponential(1)] : ['', '']
    })
    console.log(`| ${[dtype, ...cells].join(' | ')} |`)
  }
}

/** Of the texts, then of the pictures. */
async function embeddings(folder: string | undefined, dtype: Clip['info']['dtype']): Promise<Float32Array[][]> {
  const clip = await load(folder, { dtype })
  try {
    const text = await clip.encodeText(texts, { maxTokens: 512 })
    const image = clip.info.imageSize ? await clip.encodeImage(pictures) : undefined
    return [text, image].map((rows) => (rows ? Array.from({ length: rows.rows }, (_, i) => rows.row(i)) : []))
  } finally {
    clip.dispose()
  }
}

function compare(a: Float32Array, b: Float32Array): { cosine: number; difference: number } {
  let dot = 0
  let difference = 0
  for (let i = 0; i < a.length; i++) {
    dot += a[i]! * b[i]!
    difference = Math.max(difference, Math.abs(a[i]! - b[i]!))
  }
  return { cosine: dot / Math.hypot(...a) / Math.hypot(...b), difference }
}
