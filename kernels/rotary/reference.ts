import type { ReferenceKernel } from '../../runtime/reference/kernel.ts'
import type { RotaryParameters } from './rotary.ts'

export const rotaryReference: ReferenceKernel<RotaryParameters> = (
  { x, heads, headDim, positions, cos, sin },
  access,
) => {
  const [tokens = 0, columns = 0] = x.shape
  const xs = access.f32(x)
  const position = access.i32(positions)
  const cosines = access.f32(cos)
  const sines = access.f32(sin)
  const pairs = headDim / 2
  return {
    units: tokens,
    run(from, to) {
      for (let t = from; t < to; t++) {
        const row = position[t]! * pairs
        for (let pair = 0; pair < heads * pairs; pair++) {
          const at = t * columns + 2 * pair
          const c = cosines[row + (pair % pairs)]!
          const s = sines[row + (pair % pairs)]!
          const a = xs[at]!
          const b = xs[at + 1]!
          xs[at] = a * c - b * s
          xs[at + 1] = b * c + a * s
        }
      }
    },
  }
}
