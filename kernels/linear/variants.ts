import type { Shader } from '../../runtime/webgpu/kernel.ts'
import { shader as blocked } from './blocked.wgsl.generated.ts'
import { shader as tiled } from './tiled.wgsl.generated.ts'

/** One shape of the tile: which file, and how many rows and columns of y a workgroup computes. */
export interface LinearVariant {
  readonly file: Shader
  readonly constants: Readonly<Record<string, number>>
  readonly tileRows: number
  /** Rows of the weight; a gate takes half of them from each half of it. */
  readonly tileColumns: number
  /** In few words: for who asks what runs. */
  readonly why?: string
}

/** Threads along each side of a workgroup, as in both files. */
const side = 16

/** rows and columns of y that a thread computes; depth: vectors of four in a piece */
export function tiledVariant(rows: number, columns: number, depth: number): LinearVariant {
  return {
    file: tiled,
    constants: { ROWS: rows, COLUMNS: columns, DEPTH: depth },
    tileRows: side * rows,
    tileColumns: side * columns,
  }
}

/** Vectors of four rows and of four columns that a thread computes. */
export function blockedVariant(rows: number, columns: number, depth: number): LinearVariant {
  return {
    file: blocked,
    constants: { ROW_VECTORS: rows, COLUMN_VECTORS: columns, DEPTH: depth },
    tileRows: 4 * side * rows,
    tileColumns: 4 * side * columns,
  }
}

/**
 * From the one that uses what it reads most to the one with the most workgroups; each fits WebGPU's default 16 KiB of workgroup
 * memory. All add in the same order, so which one computes an element makes no difference to a bit.
 */
const plain = [
  blockedVariant(2, 2, 4),
  blockedVariant(1, 1, 8),
  tiledVariant(2, 4, 8),
  tiledVariant(2, 2, 8),
  tiledVariant(1, 1, 16),
]

/** With a gate a thread computes both halves. */
const gated = [blockedVariant(2, 2, 4), blockedVariant(1, 2, 4), tiledVariant(2, 4, 8), tiledVariant(1, 2, 16)]

/** About one for each core of a large card, a few for each of a small one: fewer, and cores stay idle. */
const enough = 160

/** The largest tile that makes enough workgroups, else the smallest. */
export function variantFor(rows: number, features: number, gate: boolean): LinearVariant {
  const variants = gate ? gated : plain
  const count = ({ tileRows, tileColumns }: LinearVariant) =>
    Math.ceil(rows / tileRows) * Math.ceil(features / tileColumns)
  const chosen = variants.find((variant) => count(variant) >= enough) ?? variants[variants.length - 1]!
  const { tileRows, tileColumns } = chosen
  return {
    ...chosen,
    why: `tiles of ${tileRows} by ${tileColumns}: the largest that make ${enough} workgroups, else the smallest`,
  }
}
