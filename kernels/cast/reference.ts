import { convert } from '../../runtime/dtype.ts'
import type { ReferenceKernel } from '../../runtime/reference/kernel.ts'
import type { CastParameters } from './cast.ts'

/** Elements per unit of work. */
const block = 4096

export const castReference: ReferenceKernel<CastParameters> = ({ x, y }, access) => {
  const xs = access.any(x)
  const ys = access.any(y)
  return {
    units: Math.ceil(xs.length / block),
    run(from, to) {
      convert(x.dtype, xs.subarray(from * block, to * block), y.dtype, ys.subarray(from * block, to * block))
    },
  }
}
