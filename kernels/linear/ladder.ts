import { shader as naive } from './naive.wgsl.generated.ts'
import { type LinearVariant, linearAs } from './webgpu.ts'

/** Every element of y from memory: what the tiles are compared with. */
const naiveVariant: LinearVariant = { file: naive, constants: {}, tileRows: 16, tileColumns: 16 }

/** The rungs below the one in use, for the bench. */
export const linearLadder = {
  '1-naive': linearAs(() => naiveVariant),
}
