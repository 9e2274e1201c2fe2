import type { ReferenceKernel } from '../../runtime/reference/kernel.ts'
import type { L2NormalizeParameters } from './l2-normalize.ts'

export const l2NormalizeReference: ReferenceKernel<L2NormalizeParameters> = ({ x, y }, access) => {
  const width = x.shape[1] ?? 0
  const [rows = 0, dimensions = 0] = y.shape
  const xs = access.f32(x)
  const ys = access.f32(y)
  return {
    units: rows,
    run(from, to) {
      for (let row = from; row < to; row++) {
        ys.set(normalized(xs.subarray(row * width, row * width + dimensions)), row * dimensions)
      }
    },
  }
}

/** row / max(‖row‖₂, 1e-12), summed in float64 */
export function normalized(row: ArrayLike<number>): Float32Array {
  let squares = 0
  for (let i = 0; i < row.length; i++) squares += row[i]! ** 2
  const norm = Math.max(Math.sqrt(squares), 1e-12)
  return Float32Array.from(row, (value) => value / norm)
}
