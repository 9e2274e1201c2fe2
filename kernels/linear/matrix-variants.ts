import type { Dtype } from '../../runtime/dtype.ts'
import type { Shader, SubgroupMatrix, WebgpuAccess } from '../../runtime/webgpu/kernel.ts'
import { shader as matrix } from './matrix.wgsl.generated.ts'
import { shader as hardware } from './matrix-hardware.wgsl.generated.ts'
import { type LinearSize, type LinearVariant, largest } from './variant.ts'

/** How many subgroups share a tile, and what each of them holds: rows and columns. */
interface MatrixTile {
  readonly subgroups: readonly [number, number]
  readonly elements: readonly [number, number]
  /** Columns of x in a piece. */
  readonly depth: number
}

/**
 * 128 × 128, 64 × 64 and, for few rows, one matrix × 64: deep pieces first, which need more workgroup memory than WebGPU's default
 * 16 KiB in the first.
 */
const tiles: readonly (readonly MatrixTile[])[] = [
  [32, 16].map((depth) => ({ subgroups: [2, 4], elements: [64, 32], depth })),
  [32, 16].map((depth) => ({ subgroups: [2, 2], elements: [32, 32], depth })),
  [64, 32, 16].map((depth) => ({ subgroups: [1, 2], elements: [1, 32], depth })),
]

/** Weights that float16 holds as exactly as their dtype means them, or nearly: float32 ones are not rounded. */
const narrowDtypes: readonly Dtype[] = ['f16', 'i8', 'i16']

/** lanes: of a subgroup; ops: who multiplies, matrix-hardware.wgsl or matrix-emulated.wgsl */
export function matrixVariant(
  { subgroups, elements, depth }: MatrixTile,
  { component, M, N, K }: SubgroupMatrix,
  lanes: number,
  ops: Shader = hardware,
): LinearVariant {
  const [rowSubgroups, columnSubgroups] = subgroups
  const rowMatrices = Math.ceil(elements[0] / M)
  const columnMatrices = 2 * Math.ceil(elements[1] / N / 2)
  const takes = component === 'f16' ? 'f16' : 'f32'
  const real = ops === hardware
  return {
    files: [ops, matrix],
    aliases: { T: component },
    constants: {
      ...{ M, N, K, DEPTH: depth, LANES: lanes },
      ROW_MATRICES: rowMatrices,
      COLUMN_MATRICES: columnMatrices,
      ROW_SUBGROUPS: rowSubgroups,
      COLUMN_SUBGROUPS: columnSubgroups,
    },
    enable: [
      ...(takes === 'f16' ? ['f16'] : []),
      ...(real ? ['subgroups', 'chromium_experimental_subgroup_matrix'] : []),
    ],
    // Subgroups of a workgroup are LANES neighbouring threads each: their places are the same for all of a subgroup.
    ...(real && { unchecked: ['chromium.subgroup_matrix_uniformity'] }),
    tileRows: rowSubgroups * rowMatrices * M,
    tileColumns: columnSubgroups * columnMatrices * N,
    takes,
  }
}

/** Bytes of workgroup memory, and threads, as in matrix.wgsl. */
function needs({ constants = {}, tileRows, tileColumns, takes }: LinearVariant) {
  const { M, N, DEPTH, LANES, COLUMN_MATRICES, ROW_SUBGROUPS, COLUMN_SUBGROUPS } = constants as Record<string, number>
  const subgroups = ROW_SUBGROUPS! * COLUMN_SUBGROUPS!
  const pieces = (tileRows + tileColumns) * (DEPTH! + 8) * (takes === 'f16' ? 2 : 4)
  return { bytes: pieces + 4 * subgroups * M! * COLUMN_MATRICES! * N!, threads: subgroups * LANES! }
}

/** Those of the device's matrices that serve weights of this dtype: float32 sums, and float16 only where the weights are. */
function matrixFor(dtype: Dtype, { extensions, traits }: Pick<WebgpuAccess, 'extensions' | 'traits'>) {
  const serve = (component: string) =>
    traits.subgroupMatrices
      .filter((one) => one.component === component && one.result === 'f32')
      .filter(({ M, N, K }) => [8, 16].includes(M) && [8, 16].includes(N) && [8, 16].includes(K))
      .sort((a, b) => b.M * b.N * b.K - a.M * a.N * a.K)
  const narrow = narrowDtypes.includes(dtype) && extensions.has('f16') ? serve('f16') : []
  return narrow[0] ?? serve('f32')[0]
}

/** Undefined where the device has no matrices of use. The choice between tiles makes no difference to an element's sum. */
export function matrixVariantFor(
  size: LinearSize,
  access: Pick<WebgpuAccess, 'extensions' | 'traits' | 'limits'>,
  enough: number,
): LinearVariant | undefined {
  const { extensions, traits, limits } = access
  const [fewest, lanes] = traits.subgroupSizes
  const needed = ['subgroups', 'chromium_experimental_subgroup_matrix']
  if (fewest !== lanes || !needed.every((extension) => extensions.has(extension))) return undefined
  const shape = matrixFor(size.dtype, access)
  if (!shape) return undefined
  const fitting = tiles.flatMap((depths) => {
    const variants = depths.map((tile) => matrixVariant(tile, shape, lanes))
    const fits = (variant: LinearVariant) => {
      const { bytes, threads } = needs(variant)
      return (
        bytes <= limits.maxComputeWorkgroupStorageSize &&
        threads <= Math.min(limits.maxComputeInvocationsPerWorkgroup, limits.maxComputeWorkgroupSizeX)
      )
    }
    return variants.find(fits) ?? []
  })
  if (fitting.length === 0) return undefined
  const chosen = largest(fitting, size, enough)
  const { M, N, K, component } = shape
  const { tileRows, tileColumns } = chosen
  const why = `subgroup matrices of ${M} × ${N} × ${K} ${component} with f32 sums, tiles of ${tileRows} by ${tileColumns}`
  return { ...chosen, why }
}
