import type { Dtype } from '../../runtime/dtype.ts'
import { sizeOf } from '../../runtime/shape.ts'
import { grid, type WebgpuKernel } from '../../runtime/webgpu/kernel.ts'
import type { CastParameters } from './cast.ts'
import { shader } from './cast.wgsl.generated.ts'

/** In the order of the shader's codes. */
const dtypes: readonly Dtype[] = ['f32', 'f16', 'bf16', 'i8', 'i32']

/** Elements of a workgroup: 256 threads, four each. */
const block = 1024

export const castWebgpu: WebgpuKernel<CastParameters> = ({ x, y }) => {
  const size = sizeOf(x.shape)
  if (size === 0) return []
  return [
    {
      pipeline: { files: [shader] },
      bindings: { x, y },
      uniforms: { size, given: dtypes.indexOf(x.dtype), wanted: dtypes.indexOf(y.dtype) },
      workgroups: grid(Math.ceil(size / block)),
    },
  ]
}
