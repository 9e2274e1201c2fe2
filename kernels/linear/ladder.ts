import type { SubgroupMatrix, WebgpuKernel } from '../../runtime/webgpu/kernel.ts'
import type { LinearParameters } from './linear.ts'
import { shader as emulated } from './matrix-emulated.wgsl.generated.ts'
import { matrixVariant, matrixVariantFor } from './matrix-variants.ts'
import { shader as naive } from './naive.wgsl.generated.ts'
import type { LinearVariant } from './variant.ts'
import { blockedVariant, subgroupVariant, tiledVariant, variantFor } from './variants.ts'
import { linearAs } from './webgpu.ts'

/** Every element of y from memory: what the tiles are compared with. */
const naiveVariant: LinearVariant = { files: [naive], constants: {}, tileRows: 16, tileColumns: 16 }

const always = (plain: LinearVariant, gated = plain) => linearAs(({ gate }) => (gate ? gated : plain))

/** Each rung alone, for the bench and the specs; `linearWebgpu` chooses among 3 to 7 by what the device has and by size. */
export const linearLadder = {
  '1-naive': always(naiveVariant),
  '2-tiled': always(tiledVariant(4, 4, 4)),
  '3-blocked-8x8': always(blockedVariant(2, 2, 4)),
  '4-blocked-4x4': always(blockedVariant(1, 1, 8), blockedVariant(1, 2, 4)),
  '5-narrow-2x4': always(tiledVariant(2, 4, 8)),
  '5-narrow-2x2': always(tiledVariant(2, 2, 8)),
  '5-narrow-1x1': always(tiledVariant(1, 1, 16), tiledVariant(1, 2, 16)),
}

type Rungs = Readonly<Record<string, WebgpuKernel<LinearParameters>>>

/** Rungs of devices with `subgroups`. */
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
