import { grid, type WebgpuKernel } from '../../runtime/webgpu/kernel.ts'
import { shader as sum } from '../sum.wgsl.generated.ts'
import type { L2NormalizeParameters } from './l2-normalize.ts'
import { shader } from './l2-normalize.wgsl.generated.ts'

/** Of a workgroup, which has one row. */
const threads = 64

export const l2NormalizeWebgpu: WebgpuKernel<L2NormalizeParameters> = ({ x, y }) => {
  const [rows = 0, width = 0] = y.shape
  if (rows === 0 || width === 0) return []
  return [
    {
      pipeline: { files: [sum, shader], constants: { THREADS: threads } },
      bindings: { x, y },
      uniforms: { rows, width, stride: x.shape[1] ?? 0, threads },
      workgroups: grid(rows),
    },
  ]
}
