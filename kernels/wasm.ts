import type { WasmTable } from '../runtime/wasm/kernel.ts'
import { attentionWasm } from './attention/wasm.ts'
import { castWasm } from './cast/wasm.ts'
import { embeddingWasm } from './embedding/wasm.ts'
import { gatedLinearUnitWasm } from './gated-linear-unit/wasm.ts'
import { l2NormalizeWasm } from './l2-normalize/wasm.ts'
import { layerNormWasm } from './layer-norm/wasm.ts'
import { linearWasm } from './linear/wasm.ts'
import { meanPoolWasm } from './mean-pool/wasm.ts'
import { patchEmbedWasm } from './patch-embed/wasm.ts'
import { rotaryWasm } from './rotary/wasm.ts'

/** Every operation as SIMD WebAssembly. */
export const wasmKernels = {
  embedding: embeddingWasm,
  'layer-norm': layerNormWasm,
  linear: linearWasm,
  'gated-linear-unit': gatedLinearUnitWasm,
  rotary: rotaryWasm,
  attention: attentionWasm,
  'patch-embed': patchEmbedWasm,
  'mean-pool': meanPoolWasm,
  'l2-normalize': l2NormalizeWasm,
  cast: castWasm,
} satisfies WasmTable
