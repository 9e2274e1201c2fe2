import type { WebgpuTable } from '../runtime/webgpu/kernel.ts'
import { attentionWebgpu } from './attention/webgpu.ts'
import { castWebgpu } from './cast/webgpu.ts'
import { embeddingWebgpu } from './embedding/webgpu.ts'
import { gatedLinearUnitWebgpu } from './gated-linear-unit/webgpu.ts'
import { l2NormalizeWebgpu } from './l2-normalize/webgpu.ts'
import { layerNormWebgpu } from './layer-norm/webgpu.ts'
import { linearWebgpu } from './linear/webgpu.ts'
import { meanPoolWebgpu } from './mean-pool/webgpu.ts'
import { patchEmbedWebgpu } from './patch-embed/webgpu.ts'
import { rotaryWebgpu } from './rotary/webgpu.ts'

/** Every operation as WGSL. */
export const webgpuKernels = {
  embedding: embeddingWebgpu,
  'layer-norm': layerNormWebgpu,
  linear: linearWebgpu,
  'gated-linear-unit': gatedLinearUnitWebgpu,
  rotary: rotaryWebgpu,
  attention: attentionWebgpu,
  'patch-embed': patchEmbedWebgpu,
  'mean-pool': meanPoolWebgpu,
  'l2-normalize': l2NormalizeWebgpu,
  cast: castWebgpu,
} satisfies WebgpuTable
