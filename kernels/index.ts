export { type Activation, erfc, gelu, silu } from './activation.ts'
export { alibiSlopes } from './attention/alibi.ts'
export { type AttentionParameters, attention, attentionOperation, type DeviceBatch } from './attention/attention.ts'
export { type CastParameters, cast, castOperation } from './cast/cast.ts'
export { type EmbeddingParameters, embedding, embeddingOperation } from './embedding/embedding.ts'
export {
  type GatedLinearUnitParameters,
  gatedLinearUnit,
  gatedLinearUnitOperation,
} from './gated-linear-unit/gated-linear-unit.ts'
export { type L2NormalizeParameters, l2Normalize, l2NormalizeOperation } from './l2-normalize/l2-normalize.ts'
export { type LayerNormParameters, layerNorm, layerNormOperation, type Norm } from './layer-norm/layer-norm.ts'
export { type Linear, type LinearOptions, type LinearParameters, linear, linearOperation } from './linear/linear.ts'
export { type MeanPoolParameters, meanPool, meanPoolOperation } from './mean-pool/mean-pool.ts'
export { type PatchEmbedParameters, patchEmbed, patchEmbedOperation } from './patch-embed/patch-embed.ts'
export { referenceKernels } from './reference.ts'
export { type RotaryParameters, rotary, rotaryOperation } from './rotary/rotary.ts'
export { type RotaryTable, rotaryTable } from './rotary/table.ts'
export { wasmKernels } from './wasm.ts'
export { webgpuKernels } from './webgpu.ts'
