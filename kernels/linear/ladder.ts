import { shader as naive } from './naive.wgsl.generated.ts'
import { blockedVariant, type LinearVariant, tiledVariant } from './variants.ts'
import { linearAs } from './webgpu.ts'

/** Every element of y from memory: what the tiles are compared with. */
const naiveVariant: LinearVariant = { file: naive, constants: {}, tileRows: 16, tileColumns: 16 }

const always = (plain: LinearVariant, gated = plain) => linearAs((_rows, _features, gate) => (gate ? gated : plain))

/** Each rung alone, for the bench; `linearWebgpu` chooses among 3 to 5 by size. */
export const linearLadder = {
  '1-naive': always(naiveVariant),
  '2-tiled': always(tiledVariant(4, 4, 4)),
  '3-blocked-8x8': always(blockedVariant(2, 2, 4)),
  '4-blocked-4x4': always(blockedVariant(1, 1, 8), blockedVariant(1, 2, 4)),
  '5-narrow-2x4': always(tiledVariant(2, 4, 8)),
  '5-narrow-2x2': always(tiledVariant(2, 2, 8)),
  '5-narrow-1x1': always(tiledVariant(1, 1, 16), tiledVariant(1, 2, 16)),
}
