import type { WebgpuTable } from '../runtime/webgpu/kernel.ts'
import { linearWebgpu } from './linear/webgpu.ts'

/** Operations as WGSL. */
export const webgpuKernels = {
  linear: linearWebgpu,
} satisfies WebgpuTable
