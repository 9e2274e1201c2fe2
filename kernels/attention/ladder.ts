import { shader as flash } from './flash.wgsl.generated.ts'
import { shader as outward } from './outward.wgsl.generated.ts'
import { attentionAs, flashVariant, quadVariant } from './webgpu.ts'

/** Each rung alone, for the bench and the specs; `attentionWebgpu` takes 3 or 4 for heads of up to 64, else 2. */
export const attentionLadder = {
  '1-flash': attentionAs((vectors) => flashVariant(flash, vectors)),
  '2-outward': attentionAs((vectors) => flashVariant(outward, vectors)),
  '3-quads': attentionAs((vectors) => (vectors > 16 ? flashVariant(outward, vectors) : quadVariant(vectors, false))),
}

/** Rungs of devices with `subgroups`. */
export const attentionSubgroupLadder = {
  '4-quads-subgroups': attentionAs((vectors) =>
    vectors > 16 ? flashVariant(outward, vectors) : quadVariant(vectors, true),
  ),
}
