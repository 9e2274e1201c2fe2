import type { ReferenceKernel } from '../../runtime/reference/kernel.ts'
import { activate } from '../activation.ts'
import type { GatedLinearUnitParameters } from './gated-linear-unit.ts'

export const gatedLinearUnitReference: ReferenceKernel<GatedLinearUnitParameters> = ({ x, activation, y }, access) => {
  const [rows = 0, width = 0] = y.shape
  const xs = access.f32(x)
  const ys = access.f32(y)
  return {
    units: rows,
    run(from, to) {
      for (let row = from; row < to; row++) {
        const first = row * 2 * width
        for (let i = 0; i < width; i++) {
          ys[row * width + i] = activate(activation, xs[first + i]!) * xs[first + width + i]!
        }
      }
    },
  }
}
