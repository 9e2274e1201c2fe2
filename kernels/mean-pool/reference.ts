import type { ReferenceKernel } from '../../runtime/reference/kernel.ts'
import type { MeanPoolParameters } from './mean-pool.ts'

export const meanPoolReference: ReferenceKernel<MeanPoolParameters> = ({ x, batch, count, y }, access) => {
  const [sequences = 0, hidden = 0] = y.shape
  const xs = access.f32(x)
  const ys = access.f32(y)
  const offset = access.i32(batch.offsets)
  const sum = new Float64Array(hidden)
  return {
    units: sequences,
    run(from, to) {
      for (let s = from; s < to; s++) {
        const first = offset[s]!
        const length = Math.min(count ?? Number.POSITIVE_INFINITY, offset[s + 1]! - first)
        sum.fill(0)
        for (let t = first; t < first + length; t++) {
          for (let h = 0; h < hidden; h++) sum[h]! += xs[t * hidden + h]!
        }
        for (let h = 0; h < hidden; h++) ys[s * hidden + h] = sum[h]! / length
      }
    },
  }
}
