import type { Shape } from '../../runtime/shape.ts'
import { hash, keyOf } from './rule.ts'

/** What the outliers variant must know of a model. */
export interface Towers {
  readonly text_model: Tower
  readonly vision_model: Tower
}

interface Tower {
  readonly layers: number
  readonly headDim: number
}

/** How one tensor is multiplied, by powers of two only: every product is exact, so their order is free. */
export interface Tails {
  /** One factor per row of a matrix (rows along the first dimension); of anything else, one for the whole. */
  readonly rows: Float32Array
  /** Columns of a matrix, or elements of a vector, with their factors. */
  readonly columns: ReadonlyArray<readonly [number, number]>
  /** Whether every element is drawn with a heavy tail too: fillTail. */
  readonly elements: boolean
}

export function tailsOf(name: string, shape: Shape, seed: number, towers: Towers): Tails {
  const tower = name.startsWith('vision_model.') ? 'vision_model' : 'text_model'
  const { layers, headDim } = towers[tower]
  const matrix = isMatrix(name, shape)
  const rows = new Float32Array(matrix ? shape[0]! : 1).fill(wholeFactor(name, tower, layers))
  if (!matrix) {
    const columns = shape.length === 1 ? vectorFactors(name, shape[0]!, seed, tower, layers) : []
    return { rows, columns, elements: false }
  }
  const queriesAndKeys = queryKeyRows(name, rows.length)
  const rowKey = keyOf(`${name}/row`, seed)
  const headKey = keyOf(`${name}/head`, seed)
  for (let row = 0; row < rows.length; row++) {
    if (row < queriesAndKeys) {
      rows[row]! *= headFactors[hash(headKey, Math.floor(row / headDim)) & 3]! // O4
    } else {
      const y = hash(rowKey, row) & 255 // O2
      if (y === 0) rows[row]! *= 8
      else if (y === 128) rows[row]! *= 4
    }
  }
  const width = shape.slice(1).reduce((product, size) => product * size, 1)
  return { rows, columns: columnFactors(name, width, seed, tower), elements: true }
}

const headFactors = [1 / 4, 1, 2, 2]

export function isMatrix(name: string, shape: Shape): boolean {
  return shape.length >= 2 && name.endsWith('.weight')
}

/** Large channels of a tower of this width, the same in all its layers: [channel, exponent]. */
export function outlierChannels(tower: keyof Towers, width: number, seed: number): [number, number][] {
  const count = Math.max(2, Math.floor(width / 256))
  const block = Math.floor(width / count)
  const key = keyOf(`outlier_channels.${tower}.${width}`, seed)
  return Array.from({ length: count }, (_, j) => [j * block + ((hash(key, j) >>> 8) % block), 4 + (j % 3)])
}

/** O3 */
function wholeFactor(name: string, tower: keyof Towers, layers: number): number {
  if (name.endsWith('token_type_embeddings.weight')) return 1 / 4
  if (!/\.(out_proj|wo|attn\.proj|w3)\.(weight|bias)$/.test(name)) return 1
  const branches = tower === 'vision_model' ? 2 * layers : layers
  let exponent = 0
  while (4 ** exponent < branches) exponent++
  return 2 ** -exponent
}

/** The first so many rows make queries and keys. */
function queryKeyRows(name: string, rows: number): number {
  if (name.endsWith('.Wqkv.weight')) return Math.floor(rows / 3) * 2
  return /\.[qk]_proj\.weight$/.test(name) ? rows : 0
}

/** O6 */
function columnFactors(name: string, width: number, seed: number, tower: keyof Towers): [number, number][] {
  if (!/\.(Wqkv|gated_layers|q_proj|k_proj|v_proj|w1|w2)\.weight$/.test(name)) return []
  return outlierChannels(tower, width, seed)
    .filter((_, j) => tower === 'vision_model' || (j % 2 === 1) === name.endsWith('.Wqkv.weight'))
    .map(([channel, exponent]) => [channel, 2 ** (2 - exponent)])
}

/** O5 */
function vectorFactors(
  name: string,
  width: number,
  seed: number,
  tower: keyof Towers,
  layers: number,
): [number, number][] {
  const kind = name.split('.').at(-2)
  if (kind !== 'emb_ln' && kind !== 'norm1' && kind !== 'norm2') return []
  const lastNorm = tower === 'text_model' && name.includes(`.layers.${layers - 1}.norm2.`)
  return outlierChannels(tower, width, seed).flatMap(([channel, exponent], j): [number, number][] => {
    const raised = tower === 'vision_model' || (j % 2 === 0) === (kind === 'norm1')
    if (raised) return lastNorm ? [] : [[channel, 2 ** exponent]]
    return kind === 'emb_ln' ? [] : [[channel, 2 ** -(exponent + 2)]]
  })
}

/**
 * Multiplies the elements from `start` on, whole rows of a matrix. values: (rows, width) of a matrix, (width) of a vector;
 * key and start: as they were drawn.
 */
export function applyTails(values: Float32Array, tails: Tails, width: number, key: number, start: number): void {
  if (tails.elements) {
    for (let i = 0; i < values.length; i++) values[i]! *= (hash(key, start + i) & 15) === 0 ? 4 : 1 / 2 // O1
  }
  const firstRow = tails.elements ? start / width : 0
  for (let at = 0, row = firstRow; at < values.length; at += width, row++) {
    const factor = tails.rows[row]!
    if (factor !== 1) for (let i = at; i < at + width; i++) values[i]! *= factor
    for (const [column, factor] of tails.columns) values[at + column]! *= factor
  }
}
