import { grid, type WebgpuKernel } from '../../runtime/webgpu/kernel.ts'
import type { RotaryParameters } from './rotary.ts'
import { shader } from './rotary.wgsl.generated.ts'

/** As in the shader. */
const threads = 256

export const rotaryWebgpu: WebgpuKernel<RotaryParameters> = ({ x, heads, headDim, positions, cos, sin }) => {
  const [tokens = 0, columns = 0] = x.shape
  const pairs = (heads * headDim) / 2
  const size = tokens * pairs
  if (size === 0) return []
  return [
    {
      pipeline: { files: [shader] },
      bindings: { x, positions, cos, sin },
      uniforms: { size, pairs, headPairs: headDim / 2, columns },
      workgroups: grid(Math.ceil(size / threads)),
    },
  ]
}
