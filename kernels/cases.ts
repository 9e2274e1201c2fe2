import { attentionCases } from './attention/cases.ts'
import type { Case } from './case.ts'
import { castCases } from './cast/cases.ts'
import { embeddingCases } from './embedding/cases.ts'
import { gatedLinearUnitCases } from './gated-linear-unit/cases.ts'
import { l2NormalizeCases } from './l2-normalize/cases.ts'
import { layerNormCases } from './layer-norm/cases.ts'
import { linearCases } from './linear/cases.ts'
import { quantizedLinearCases } from './linear/quantized-cases.ts'
import { meanPoolCases } from './mean-pool/cases.ts'
import { patchEmbedCases } from './patch-embed/cases.ts'
import { rotaryCases } from './rotary/cases.ts'

/** Every awkward case of every operation. Small: making the table computes nothing. */
export function allCases(): readonly Case[] {
  return [
    ...embeddingCases(),
    ...layerNormCases(),
    ...linearCases(),
    ...quantizedLinearCases(),
    ...gatedLinearUnitCases(),
    ...rotaryCases(),
    ...attentionCases(),
    ...patchEmbedCases(),
    ...meanPoolCases(),
    ...l2NormalizeCases(),
    ...castCases(),
  ]
}
