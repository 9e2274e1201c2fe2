import type { WebgpuAccess } from '../../runtime/webgpu/kernel.ts'
import { shader as blocked } from './blocked.wgsl.generated.ts'
import { matrixVariantFor } from './matrix-variants.ts'
import { shader as tiled } from './tiled.wgsl.generated.ts'
import { type LinearSize, type LinearVariant, largest } from './variant.ts'

/** side: threads along each side of a workgroup; rows and columns of y that a thread computes; depth: vectors of four in a piece */
export function tiledVariant(side: number, rows: number, columns: number, depth: number): LinearVariant {
  return {
    files: [tiled],
    constants: { SIDE: side, ROWS: rows, COLUMNS: columns, DEPTH: depth },
    tileRows: side * rows,
    tileColumns: side * columns,
  }
}

/** side, depth: as above; vectors of four rows and of four columns that a thread computes */
export function blockedVariant(side: number, rows: number, columns: number, depth: number): LinearVariant {
  return {
    files: [blocked],
    constants: { SIDE: side, ROW_VECTORS: rows, COLUMN_VECTORS: columns, DEPTH: depth },
    tileRows: 4 * side * rows,
    tileColumns: 4 * side * columns,
  }
}

/**
 * From the one that uses what it reads most to the one with the most workgroups; each fits WebGPU's default 16 KiB of workgroup
 * memory. All add in the same order, so which one computes an element makes no difference to a bit.
 */
const plain = [
  blockedVariant(16, 2, 2, 4),
  blockedVariant(8, 2, 2, 4),
  blockedVariant(8, 1, 2, 8),
  blockedVariant(8, 1, 1, 16),
  tiledVariant(8, 2, 2, 32),
]

/** With a gate a thread computes both halves. */
const gated = [
  blockedVariant(16, 2, 2, 4),
  blockedVariant(8, 2, 2, 4),
  blockedVariant(8, 1, 2, 8),
  tiledVariant(8, 2, 4, 16),
]

/** Of a processor's few cores each has enough to do with these. */
const onProcessor = { plain: [blockedVariant(16, 1, 1, 8)], gated: [blockedVariant(16, 1, 2, 4)] }

/**
 * Where a large tile would not be filled. Compiling takes longer there than computing: SwiftShader has this one, with and without a
 * gate, in 0.9 s, and a large one in 4 s.
 */
const smallOnProcessor = [tiledVariant(8, 2, 2, 8)]

/** About one for each core of a large card, a few for each of a small one: fewer, and cores stay idle. */
const enough = 160

/** The fastest that the device offers, as docs/operations/linear.md reasons it. */
export function variantFor(
  size: LinearSize,
  access: Pick<WebgpuAccess, 'extensions' | 'traits' | 'limits'>,
): LinearVariant {
  const matrices = matrixVariantFor(size, access, enough)
  if (matrices) return matrices
  const { rows, features, gate } = size
  const { traits } = access
  const ladder = traits.software ? onProcessor : { plain, gated }
  const small = traits.software && (rows < 64 || features < 64)
  const variants = small ? smallOnProcessor : gate ? ladder.gated : ladder.plain
  const chosen = largest(variants, size, enough)
  const { tileRows, tileColumns } = chosen
  const why = traits.software ? 'for a processor' : `the largest that make ${enough} workgroups, else the smallest`
  return { ...chosen, why: `tiles of ${tileRows} by ${tileColumns}: ${why}` }
}
