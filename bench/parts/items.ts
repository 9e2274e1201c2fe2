import { statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { captions } from '../precision/items.ts'

export const parts = ['matmul', 'softmax', 'layer-norm', 'safetensors', 'jpeg', 'png', 'tokenizer'] as const
export type Part = (typeof parts)[number]

interface Named {
  readonly name: string
  /** Of one call, such that this over its milliseconds is a rate in `unit`. */
  readonly work: number
  readonly unit: 'GFLOP/s' | 'GB/s' | 'megapixels/s' | 'MB/s'
}

/** x (rows, width) · w (width, features) */
export interface MatmulItem extends Named {
  readonly part: 'matmul'
  readonly rows: number
  readonly width: number
  readonly features: number
}

/** softmax(q·kᵀ / √headDim) v, per head: q, k, v (heads, tokens, headDim) */
export interface SoftmaxItem extends Named {
  readonly part: 'softmax'
  readonly tokens: number
  readonly heads: number
  readonly headDim: number
}

/** (rows, width), epsilon 1e-6 */
export interface LayerNormItem extends Named {
  readonly part: 'layer-norm'
  readonly rows: number
  readonly width: number
}

export interface FileItem extends Named {
  readonly part: 'safetensors' | 'jpeg' | 'png'
  readonly file: string
}

export interface TokenizerItem extends Named {
  readonly part: 'tokenizer'
  /** A tokenizer.json. */
  readonly file: string
  readonly texts: readonly string[]
}

export type PartItem = MatmulItem | SoftmaxItem | LayerNormItem | FileItem | TokenizerItem

const matmul = (rows: number, width: number, features: number): MatmulItem => ({
  ...{ part: 'matmul', name: `${rows}x${width}x${features}`, rows, width, features },
  ...{ work: (2 * rows * width * features) / 1e6, unit: 'GFLOP/s' },
})

const softmax = (tokens: number): SoftmaxItem => ({
  ...{ part: 'softmax', name: `12 heads of 64, ${tokens} tokens`, tokens, heads: 12, headDim: 64 },
  ...{ work: (4 * 12 * 64 * tokens * tokens) / 1e6, unit: 'GFLOP/s' },
})

const layerNorm = (rows: number, width: number): LayerNormItem => ({
  ...{ part: 'layer-norm', name: `${rows}x${width}`, rows, width },
  ...{ work: (8 * rows * width) / 1e6, unit: 'GB/s' },
})

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

const picture = (part: 'jpeg' | 'png', file: string, width: number, height: number): FileItem => ({
  ...{ part, name: `${file}, ${width}x${height}`, file: here(`../../spec/fixtures/images/${file}`) },
  ...{ work: (width * height) / 1e3, unit: 'megapixels/s' },
})

const tokenizer = (name: string, texts: readonly string[]): TokenizerItem => ({
  ...{ part: 'tokenizer', name, texts, file: here('../../apps/synth/tokenizer.json') },
  ...{ work: texts.reduce((sum, text) => sum + new TextEncoder().encode(text).length, 0) / 1e3, unit: 'MB/s' },
})

const accents = 'Ein Vögelchen sitzt auf dem Ast; il chante à l’aube, 夜明けに歌う鳥 — naïve café, ¿qué tal? 🐦 '

/** At shapes of the towers. checkpoint: a safetensors file without metadata, which is all that npm's package reads. */
export function partItems(checkpoint: string): PartItem[] {
  return [
    ...[matmul(16, 768, 768), matmul(197, 768, 768), matmul(197, 768, 4096)],
    ...[softmax(32), softmax(197), softmax(512)],
    ...[layerNorm(197, 768), layerNorm(4096, 768)],
    {
      ...{ part: 'safetensors', name: 'tiny-e2e in f32', file: checkpoint },
      ...{ work: statSync(checkpoint).size / 1e6, unit: 'GB/s' },
    },
    picture('jpeg', 'photo-image.jpeg', 640, 480),
    picture('jpeg', 'photo-progressive-420.jpg', 320, 240),
    picture('png', 'noise-500x333.png', 500, 333),
    tokenizer('500 captions', captions(500)),
    tokenizer('one text of many scripts', [accents.repeat(200)]),
  ]
}
