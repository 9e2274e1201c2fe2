import { attentionLadder, attentionSubgroupLadder } from '../../../kernels/attention/ladder.ts'
import { attentionWebgpu } from '../../../kernels/attention/webgpu.ts'
import { linearLadder, matrixLadder, subgroupLadder } from '../../../kernels/linear/ladder.ts'
import { linearWebgpu } from '../../../kernels/linear/webgpu.ts'
import { webgpuKernels } from '../../../kernels/webgpu.ts'
import { createWebgpuDevice } from '../../../runtime/webgpu/device.ts'
import type { WebgpuKernel, WebgpuTable } from '../../../runtime/webgpu/kernel.ts'
import { openDevice } from '../../../runtime/webgpu/open.ts'
import { createRoofs } from './roofs.ts'
import type { Target } from './target.ts'
import { createWebgpuRoofs } from './webgpu-roofs.ts'

export interface WebgpuTargetOptions {
  readonly gpu: GPU
  /** Default: kernels/webgpu.ts. */
  readonly table?: WebgpuTable | undefined
  readonly signal?: AbortSignal | undefined
}

/** `chosen` is what the library runs: for `linear`, one of the rungs by size. Throws DEVICE_UNAVAILABLE. */
export async function createWebgpuTarget({ gpu, table = webgpuKernels, signal }: WebgpuTargetOptions): Promise<Target> {
  const opened = await openDevice({ gpu })
  const ladders: Record<string, Record<string, WebgpuKernel<never>>> = {}
  for (const [operation, kernel] of Object.entries(table)) ladders[operation] = { chosen: kernel }
  const subgroups = opened.extensions.has('subgroups')
  if (table.linear === linearWebgpu) {
    Object.assign(ladders.linear!, linearLadder, subgroups && subgroupLadder)
    if (opened.extensions.has('chromium_experimental_subgroup_matrix')) Object.assign(ladders.linear!, matrixLadder)
  }
  if (table.attention === attentionWebgpu) {
    Object.assign(ladders.attention!, attentionLadder, subgroups && attentionSubgroupLadder)
  }
  const running: Record<string, WebgpuKernel<never>> = { ...table }
  const switchable = Object.fromEntries(
    Object.keys(table).map((operation): [string, WebgpuKernel<never>] => [
      operation,
      (parameters, access) => running[operation]!(parameters, access),
    ]),
  )
  const device = await createWebgpuDevice(switchable, { source: opened, reason: 'for the bench' })
  try {
    const roofs = createRoofs('webgpu')
    const measured = await createWebgpuRoofs(opened)
    return {
      get info() {
        return device.info
      },
      timestamps: opened.device.features.has('timestamp-query'),
      slow: opened.traits.software,
      get roofs() {
        return roofs.list
      },
      variants: (operation) =>
        Object.entries(ladders[operation] ?? {}).map(([name, kernel]) => ({
          name,
          device,
          choose() {
            running[operation] = kernel
          },
        })),
      ceilings: () => ({
        peak: { name: 'multiply-add f32', rate: roofs.rate('multiply-add f32') },
        copy: roofs.rate('copy'),
        read: roofs.rate('read'),
      }),
      measureRoofs: (share) => measured.measure(roofs, share, signal),
      steady: () => measured.steady(roofs),
      dispose() {
        measured.dispose()
        device.dispose()
      },
    }
  } catch (error) {
    device.dispose()
    throw error
  }
}
