import { shader as flash } from './flash.wgsl.generated.ts'
import { attentionAs } from './webgpu.ts'

/** The rungs below the one in use, for the bench. */
export const attentionLadder = {
  '1-flash': attentionAs(flash),
}
