import { grid, type WebgpuKernel } from '../../runtime/webgpu/kernel.ts'
import { shader as sum } from '../sum.wgsl.generated.ts'
import type { LayerNormParameters } from './layer-norm.ts'
import { shader } from './layer-norm.wgsl.generated.ts'
import { shader as rowNorm } from './row-norm.wgsl.generated.ts'

/** Of a workgroup, which has one row. */
const threads = 64

export const layerNormWebgpu: WebgpuKernel<LayerNormParameters> = ({ x, weight, bias, epsilon, y }) => {
  const [rows = 0, width = 0] = x.shape
  if (rows === 0 || width === 0) return []
  return [
    {
      pipeline: { files: [sum, rowNorm, shader], constants: { THREADS: threads } },
      bindings: { x, weight, bias, y },
      uniforms: { rows, width, epsilon, threads },
      workgroups: grid(rows),
    },
  ]
}
