import type { WebgpuAccess } from '../../runtime/webgpu/kernel.ts'
import { shader as blocked } from './blocked.wgsl.generated.ts'
import { matrixVariantFor } from './matrix-variants.ts'
import { shader as subgroup } from './subgroup.wgsl.generated.ts'
import { shader as tiled } from './tiled.wgsl.generated.ts'
import { type LinearSize, type LinearVariant, largest } from './variant.ts'

/** Threads along each side of a workgroup, as in both files. */
const side = 16

/** rows and columns of y that a thread computes; depth: vectors of four in a piece */
export function tiledVariant(rows: number, columns: number, depth: number): LinearVariant {
  return {
    files: [tiled],
    constants: { ROWS: rows, COLUMNS: columns, DEPTH: depth },
    tileRows: side * rows,
    tileColumns: side * columns,
  }
}

/** Vectors of four rows and of four columns that a thread computes. */
export function blockedVariant(rows: number, columns: number, depth: number): LinearVariant {
  return {
    files: [blocked],
    constants: { ROW_VECTORS: rows, COLUMN_VECTORS: columns, DEPTH: depth },
    tileRows: 4 * side * rows,
    tileColumns: 4 * side * columns,
  }
}

/** rows of y that a thread computes; threads: a multiple of the device's subgroups */
export function subgroupVariant(rows: number, gate: boolean, threads: number): LinearVariant {
  return {
    files: [subgroup],
    constants: { ROWS: rows, THREADS: threads },
    enable: ['subgroups'],
    tileRows: rows,
    tileColumns: gate ? 2 * threads : threads,
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

/** Of a processor's few cores each has enough to do with these, and compiling takes longer than computing. */
const onProcessor = { plain: [blockedVariant(1, 1, 8)], gated: [blockedVariant(1, 2, 4)] }

/** About one for each core of a large card, a few for each of a small one: fewer, and cores stay idle. */
const enough = 160

/** So few rows that every tile with workgroup memory leaves cores idle or waits at its barriers. */
const fewRows = 16

/** The fastest that the device offers, as docs/operations/linear.md reasons it. */
export function variantFor(
  size: LinearSize,
  access: Pick<WebgpuAccess, 'extensions' | 'traits' | 'limits'>,
): LinearVariant {
  const matrices = matrixVariantFor(size, access, enough)
  if (matrices) return matrices
  const { rows, gate } = size
  const { extensions, traits } = access
  if (!traits.software && rows <= fewRows && extensions.has('subgroups')) {
    const variant = subgroupVariant(4, gate, Math.max(32, traits.subgroupSizes[1]))
    return { ...variant, why: `subgroups hand round ${fewRows} rows or fewer without a barrier` }
  }
  const ladder = traits.software ? onProcessor : { plain, gated }
  const variants = gate ? ladder.gated : ladder.plain
  const chosen = largest(variants, size, enough)
  const { tileRows, tileColumns } = chosen
  const why = traits.software ? 'for a processor' : `the largest that make ${enough} workgroups, else the smallest`
  return { ...chosen, why: `tiles of ${tileRows} by ${tileColumns}: ${why}` }
}
