import { grid, type WebgpuKernel } from '../../runtime/webgpu/kernel.ts'
import type { MeanPoolParameters } from './mean-pool.ts'
import { shader } from './mean-pool.wgsl.generated.ts'

/** Of a workgroup, as in the shader. */
const columns = 32

export const meanPoolWebgpu: WebgpuKernel<MeanPoolParameters> = ({ x, batch, count, y }) => {
  const [sequences = 0, width = 0] = y.shape
  if (sequences === 0 || width === 0) return []
  return [
    {
      pipeline: { files: [shader] },
      bindings: { x, offsets: batch.offsets, y },
      uniforms: { sequences, width, count: Math.min(count ?? batch.host.longest, batch.host.longest) },
      workgroups: grid(sequences * Math.ceil(width / columns)),
    },
  ]
}
