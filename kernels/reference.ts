import type { ReferenceTable } from '../runtime/reference/kernel.ts'
import { attentionReference } from './attention/reference.ts'
import { castReference } from './cast/reference.ts'
import { embeddingReference } from './embedding/reference.ts'
import { gatedLinearUnitReference } from './gated-linear-unit/reference.ts'
import { l2NormalizeReference } from './l2-normalize/reference.ts'
import { layerNormReference } from './layer-norm/reference.ts'
import { linearReference } from './linear/reference.ts'
import { meanPoolReference } from './mean-pool/reference.ts'
import { patchEmbedReference } from './patch-embed/reference.ts'
import { rotaryReference } from './rotary/reference.ts'

/** Every operation on plain typed arrays, sums in float64: the specification of what the others compute. */
export const referenceKernels = {
  embedding: embeddingReference,
  'layer-norm': layerNormReference,
  linear: linearReference,
  'gated-linear-unit': gatedLinearUnitReference,
  rotary: rotaryReference,
  attention: attentionReference,
  'patch-embed': patchEmbedReference,
  'mean-pool': meanPoolReference,
  'l2-normalize': l2NormalizeReference,
  cast: castReference,
} satisfies ReferenceTable
