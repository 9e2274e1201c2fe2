import type { WebgpuTable } from '../runtime/webgpu/kernel.ts'
import { castWebgpu } from './cast/webgpu.ts'
import { gatedLinearUnitWebgpu } from './gated-linear-unit/webgpu.ts'
import { l2NormalizeWebgpu } from './l2-normalize/webgpu.ts'
import { layerNormWebgpu } from './layer-norm/webgpu.ts'
import { linearWebgpu } from './linear/webgpu.ts'

/** Operations as WGSL. */
export const webgpuKernels = {
  'layer-norm': layerNormWebgpu,
  linear: linearWebgpu,
  'gated-linear-unit': gatedLinearUnitWebgpu,
  'l2-normalize': l2NormalizeWebgpu,
  cast: castWebgpu,
} satisfies WebgpuTable
