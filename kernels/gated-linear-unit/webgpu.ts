import { sizeOf } from '../../runtime/shape.ts'
import { grid, type WebgpuKernel } from '../../runtime/webgpu/kernel.ts'
import { shader as activationFile } from '../activation.wgsl.generated.ts'
import { activationCode } from '../webgpu-codes.ts'
import type { GatedLinearUnitParameters } from './gated-linear-unit.ts'
import { shader } from './gated-linear-unit.wgsl.generated.ts'

/** As in the shader. */
const threads = 256

export const gatedLinearUnitWebgpu: WebgpuKernel<GatedLinearUnitParameters> = ({ x, activation, y }) => {
  const size = sizeOf(y.shape)
  if (size === 0) return []
  return [
    {
      pipeline: { files: [activationFile, shader] },
      bindings: { x, y },
      uniforms: { size, width: y.shape[1] ?? 0, activation: activationCode(activation) },
      workgroups: grid(Math.ceil(size / threads)),
    },
  ]
}
