import type { Clip } from '../../clip/clip.ts'
import { load } from '../../clip/load.ts'
import { descriptions, queries } from './captions.ts'
import { type Picture, readPictures } from './pictures.ts'
import { table } from './table.ts'

/** Writes line by line, so that something is seen while the rest is computed. `heading`: how a headline is set. */
export async function demo(print: (line: string) => void, heading = (text: string) => text): Promise<void> {
  const started = performance.now()
  const pictures = await readPictures()
  using clip = await load()
  const loaded = performance.now()
  const { device, threads, dtype, dimensions } = clip.info

  print(heading('bareclip'))
  print(
    'This is the small demonstration model: it knows drawings of coloured shapes and their descriptions, nothing else.',
  )
  print('')
  const labels = descriptions()
  print(heading(`Zero-shot: which of ${labels.length} descriptions fits each picture best?`))
  for (const line of await zeroShot(clip, pictures, labels)) print(`  ${line}`)
  print('')
  print(heading('Search: which pictures fit a text best? (with cosines)'))
  for (const line of await search(clip, pictures)) print(`  ${line}`)
  print('')

  const texts = labels.length + queries.length
  print(heading('What it took'))
  const lines = table([
    ['device', `${device}, ${count(threads, 'thread')}, weights as ${dtype}, embeddings of ${dimensions} numbers`],
    [
      'time',
      `${seconds(loaded - started)} to load, ${seconds(performance.now() - loaded)} for ${pictures.length} pictures (twice) and ${texts} texts`,
    ],
    [
      'memory',
      `${megabytes(clip.memory().weights)} of weights, ${megabytes(clip.memory().peak)} with scratch at the peak`,
    ],
  ])
  for (const line of lines) print(`  ${line}`)
  print('')
  print(heading('The real model'))
  print(
    '  Put config.json, preprocessor_config.json, tokenizer.json and model.safetensors of jinaai/jina-clip-v1 into a',
  )
  print('  folder DIR; then `bareclip embed --model DIR`, or in code:')
  print("  const clip = await load('DIR')")
}

/** A line per picture: what it is taken for, and what else comes near. */
async function zeroShot(clip: Clip, pictures: readonly Picture[], labels: readonly string[]): Promise<string[]> {
  const results = await clip.classify(
    pictures.map(({ bytes }) => bytes),
    labels,
    { template: 'a drawing of {}' },
  )
  const rows = results.map(([first, second], i) => [
    pictures[i]!.name,
    first!.label,
    percent(first!.probability),
    second && second.probability >= 0.01 ? `or ${second.label}, ${percent(second.probability, 0)}` : '',
  ])
  return table(rows, [2])
}

/** Three lines per query: the best pictures. */
async function search(clip: Clip, pictures: readonly Picture[]): Promise<string[]> {
  const images = await clip.encodeImage(pictures.map(({ bytes }) => bytes))
  const texts = await clip.encodeText(queries)
  const rows = queries.flatMap((query, q) => {
    const found = pictures
      .map(({ name }, i) => ({ name, cosine: dot(texts.row(q), images.row(i)) }))
      .sort((a, b) => b.cosine - a.cosine)
    return found.slice(0, 3).map(({ name, cosine }, rank) => [rank === 0 ? query : '', name, cosine.toFixed(2)])
  })
  return table(rows, [2])
}

/** Of rows of length 1: their cosine. */
function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0)
}

const percent = (share: number, decimals = 1) => `${(100 * share).toFixed(decimals)} %`
const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`
const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`
const count = (n: number, noun: string) => `${n} ${noun}${n === 1 ? '' : 's'}`
