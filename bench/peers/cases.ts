/** Work, one multiply-add as 2: 12 · (18,874,368 n + 3072 n²) for a text of n tokens, 35.13 GFLOP for an image. */
export interface PeerCase {
  readonly name: string
  /** Tokens of each text, or undefined for images. */
  readonly lengths?: readonly number[]
  readonly images?: number
}

/** Mixed lengths 8 … 256: what padding costs. */
const mixed = Array.from({ length: 32 }, (_, i) => 8 + Math.round((i * 248) / 31))

export const peerCases: readonly PeerCase[] = [
  { name: 'text 1x16', lengths: [16] },
  { name: 'text 1x128', lengths: [128] },
  { name: 'text 1x512', lengths: [512] },
  { name: 'text 8x128', lengths: new Array(8).fill(128) },
  { name: 'text 32x32', lengths: new Array(32).fill(32) },
  { name: 'text 32 mixed 8…256', lengths: mixed },
  { name: 'image x1', images: 1 },
  { name: 'image x8', images: 8 },
]

export function flopsOf({ lengths = [], images = 0 }: PeerCase): number {
  return lengths.reduce((sum, n) => sum + 12 * (18_874_368 * n + 3072 * n * n), 0) + images * 35.13e9
}

/** Token i of text t. */
export const tokenId = (t: number, i: number) => 1000 + ((t * 131 + i * 37) % 20_000)
