import type { SubgroupMatrix, WebgpuKernel } from '../../runtime/webgpu/kernel.ts'
import type { LinearParameters } from './linear.ts'
import { shader as emulated } from './matrix-emulated.wgsl.generated.ts'
import { matrixVariant, matrixVariantFor } from './matrix-variants.ts'
import { shader as naive } from './naive.wgsl.generated.ts'
import { shader as subgroup } from './subgroup.wgsl.generated.ts'
import type { LinearVariant } from './variant.ts'
import { blockedVariant, tiledVariant, variantFor } from './variants.ts'
import { linearAs } from './webgpu.ts'

/** Every element of y from memory: what the tiles are compared with. */
const naiveVariant: LinearVariant = { files: [naive], constants: {}, tileRows: 16, tileColumns: 16 }

/** rows of y that a thread computes; threads: a multiple of the device's subgroups */
function subgroupVariant(rows: number, gate: boolean, threads: number): LinearVariant {
  return {
    files: [subgroup],
    constants: { ROWS: rows, THREADS: threads },
    enable: ['subgroups'],
    tileRows: rows,
    tileColumns: gate ? 2 * threads : threads,
  }
}

const always = (plain: LinearVariant, gated = plain) => linearAs(({ gate }) => (gate ? gated : plain))

/** Each rung alone, for the bench and the specs; `linearWebgpu` chooses among 3, 4, 5 and 7 by what the device has and by size. */
export const linearLadder = {
  '1-naive': always(naiveVariant),
  '2-tiled': always(tiledVariant(16, 4, 4, 4)),
  '3-blocked-128x128': always(blockedVariant(16, 2, 2, 4)),
  '3-blocked-64x64-256': always(blockedVariant(16, 1, 1, 8), blockedVariant(16, 1, 2, 4)),
  '4-blocked-64x64': always(blockedVariant(8, 2, 2, 4)),
  '4-blocked-32x64': always(blockedVariant(8, 1, 2, 8)),
  '4-blocked-32x32': always(blockedVariant(8, 1, 1, 16), blockedVariant(8, 1, 2, 8)),
  '5-few-16x16': always(tiledVariant(8, 2, 2, 32), tiledVariant(8, 2, 4, 16)),
}

type Rungs = Readonly<Record<string, WebgpuKernel<LinearParameters>>>

/** Rungs of devices with `subgroups`, to be measured: `linearWebgpu` does not take them. */
export const subgroupLadder: Rungs = {
  '6-subgroup-4': linearAs(({ gate }, { traits }) => subgroupVariant(4, gate, Math.max(32, traits.subgroupSizes[1]))),
}

/** Rungs of devices with `chromium_experimental_subgroup_matrix`, and with matrices of the weight's dtype: else as the device chooses. */
export const matrixLadder: Rungs = {
  '7-matrix-128': linearAs((size, access) => matrixVariantFor(size, access, 0) ?? variantFor(size, access)),
  '7-matrix-few': linearAs((size, access) => matrixVariantFor(size, access, Infinity) ?? variantFor(size, access)),
}

/** Rung 7 with the matrices emulated, for specs: what is around them is right on every device. Small ones: they are far too slow. */
export function emulatedMatrices(shape: SubgroupMatrix): Rungs {
  const { M, N, K } = shape
  const tile = (subgroups: readonly [number, number], rows: number, depth: number) =>
    always(matrixVariant({ subgroups, elements: [rows, 2 * N], depth }, shape, 8, emulated))
  return { '7-emulated-2x2': tile([2, 2], 2 * M, 2 * K), '7-emulated-1x2': tile([1, 2], M, 2 * K) }
}
