import { randomIndices, randomValues, randomWeight, unitRoundoff } from '../../../kernels/case.ts'
import { type CastData, loadCast } from '../../../kernels/cast/cases.ts'
import { type EmbeddingData, loadEmbedding } from '../../../kernels/embedding/cases.ts'
import { type GatedLinearUnitData, loadGatedLinearUnit } from '../../../kernels/gated-linear-unit/cases.ts'
import { type L2NormalizeData, loadL2Normalize } from '../../../kernels/l2-normalize/cases.ts'
import { type LayerNormData, loadLayerNorm } from '../../../kernels/layer-norm/cases.ts'
import { loadMeanPool, type MeanPoolData } from '../../../kernels/mean-pool/cases.ts'
import { loadPatchEmbed, type PatchEmbedData } from '../../../kernels/patch-embed/cases.ts'
import { loadRotary, type RotaryData } from '../../../kernels/rotary/cases.ts'
import { rotaryTable } from '../../../kernels/rotary/table.ts'
import { equalBatch } from '../../../runtime/batch.ts'
import { type BenchShape, imageCounts, imageTokens, isQuickImages, isQuickText, textRows } from './shape.ts'

// The operations on rows, as the towers have them. Tolerances as in their cases.

const hidden = 768
/** Of a table that can lie there several times; the model's has 30528 rows. */
const vocabulary = 2048

type Maker = (rows: number, width: number, quick: boolean) => BenchShape

interface Sized {
  readonly rows: number
  readonly quick: boolean
}

const texts: readonly Sized[] = textRows.map((rows) => ({ rows, quick: isQuickText(rows) }))
const images: readonly Sized[] = imageCounts.map((images) => ({
  rows: images * imageTokens,
  quick: isQuickImages(images),
}))

const within = (roundoffs: number, per: 'row' | 'tensor' = 'row') => ({
  error: roundoffs * unitRoundoff,
  per,
  reason: 'as the cases of the operation',
})

/** Of every operation but `linear` and `attention`. */
export function rowShapes(): BenchShape[] {
  const of = (sizes: readonly Sized[], make: Maker, width: number) =>
    sizes.map(({ rows, quick }) => make(rows, width, quick))
  return [
    ...(['f32', 'f16'] as const).flatMap((dtype) =>
      of(texts, (rows, width, quick) => embedding(rows, width, quick, dtype), hidden),
    ),
    ...of([...texts, ...images], layerNorm, hidden),
    ...of(images, layerNorm, 2048),
    ...of(texts, (rows, width, quick) => gatedLinearUnit(rows, width, quick, 'gelu'), 3072),
    ...of(images, (rows, width, quick) => gatedLinearUnit(rows, width, quick, 'silu'), 2048),
    ...of(images, rotary, 3 * hidden),
    ...imageCounts.map((count) => patchEmbed(count, 224, isQuickImages(count))),
    ...textRows.map((tokens) => meanPool(1, tokens, isQuickText(tokens))),
    ...[1, 8].map((rows) => l2Normalize(rows, hidden, rows === 1)),
    ...[16, 512].map((rows) => cast(rows, hidden, rows === 512)),
  ]
}

/** size: rows by width; images by pixels, sequences by tokens. → undefined if it is nothing of the kind */
export function rowShape(operation: string, size: string): BenchShape[] | undefined {
  const [rows, width, ...rest] = size.split('x').map(Number)
  const make = makers[operation]
  if (!make || !rows || !width || rest.length > 0) return undefined
  return [make(rows, width, true)]
}

const layerNorm = (rows: number, width: number, quick: boolean) =>
  shape<LayerNormData>('layer-norm', `${rows}x${width}`, quick, within(16), loadLayerNorm, () => ({
    ...{ rows, width, epsilon: 1e-6, inPlace: false },
    x: randomValues('bench layer-norm', rows * width),
    weight: randomValues('bench gain', width).map((value) => 1 + value / 4),
    bias: randomValues('bench shift', width),
  }))

const embedding = (rows: number, width: number, quick: boolean, dtype: 'f32' | 'f16' = 'f32') => ({
  ...shape<EmbeddingData>('embedding', `${rows}x${width}`, quick, within(16), loadEmbedding, () => ({
    ids: randomIndices('bench ids', rows, vocabulary),
    word: randomWeight('bench word', [vocabulary, width], dtype, 0.02),
    type: randomWeight('bench type', [2, width], dtype, 0.02),
    weight: randomValues('bench gain', width).map((value) => 1 + value / 4),
    bias: randomValues('bench shift', width),
    epsilon: 1e-12,
  })),
  dtype,
})

const gatedLinearUnit = (rows: number, width: number, quick: boolean, activation: 'gelu' | 'silu' = 'gelu') =>
  shape<GatedLinearUnitData>(
    'gated-linear-unit',
    `${rows}x${width}`,
    quick,
    within(8),
    loadGatedLinearUnit,
    () => ({ rows, width, activation, x: randomValues('bench gated', rows * 2 * width, 2) }),
    activation,
  )

const rotary = (tokens: number, columns: number, quick: boolean) =>
  shape<RotaryData>('rotary', `${tokens}x${columns}`, quick, within(4), loadRotary, () => ({
    ...{ tokens, columns, headDim: 64, heads: Math.max(1, Math.floor((2 * columns) / 3 / 64)) },
    x: randomValues('bench rotary', tokens * columns),
    positions: Int32Array.from({ length: tokens }, (_, t) => t % imageTokens),
    ...rotaryTable(14, 64, 1),
  }))

const patchEmbed = (count: number, size: number, quick: boolean) =>
  shape<PatchEmbedData>(
    'patch-embed',
    `${count}x${size}`,
    quick,
    within(8 + 2 * Math.sqrt(768), 'tensor'),
    loadPatchEmbed,
    () => ({
      ...{ images: count, size, patch: 16, hidden },
      pixels: randomValues('bench pixels', count * 3 * size * size),
      weight: randomWeight('bench patch', [hidden, 768], 'f32', 1 / Math.sqrt(768)),
      bias: randomValues('bench patch bias', hidden),
      classToken: randomValues('bench class', hidden),
      position: randomValues('bench position', (1 + Math.floor(size / 16) ** 2) * hidden),
    }),
    'patches of 16',
  )

const meanPool = (sequences: number, tokens: number, quick: boolean) =>
  shape<MeanPoolData>(
    'mean-pool',
    `${sequences}x${tokens}`,
    quick,
    within(64),
    loadMeanPool,
    () => ({
      batch: equalBatch(sequences, tokens),
      hidden,
      x: randomValues('bench pool', sequences * tokens * hidden),
      count: undefined,
    }),
    'of 768',
  )

const l2Normalize = (rows: number, width: number, quick: boolean) =>
  shape<L2NormalizeData>('l2-normalize', `${rows}x${width}`, quick, within(16), loadL2Normalize, () => ({
    ...{ rows, width, dimensions: width },
    x: randomValues('bench normalize', rows * width),
  }))

const cast = (rows: number, width: number, quick: boolean) =>
  shape<CastData>(
    'cast',
    `${rows}x${width}`,
    quick,
    within(0),
    loadCast,
    () => ({ shape: [rows, width], from: 'f32', to: 'f16', x: randomValues('bench cast', rows * width) }),
    'f32 to f16',
  )

function shape<Data>(
  operation: string,
  size: string,
  quick: boolean,
  tolerance: BenchShape['tolerance'],
  load: BenchShape<Data>['load'],
  data: () => Data,
  what?: string,
): BenchShape {
  const name = what === undefined ? size : `${size} ${what}`
  return { operation, name, size, dtype: 'f32', quick, tolerance, load, data }
}

const makers: Readonly<Record<string, Maker>> = {
  'layer-norm': layerNorm,
  embedding,
  'gated-linear-unit': gatedLinearUnit,
  rotary,
  'patch-embed': patchEmbed,
  'mean-pool': meanPool,
  'l2-normalize': l2Normalize,
  cast,
}
