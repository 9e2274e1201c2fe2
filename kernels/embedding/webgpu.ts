import { grid, rowStride, type WebgpuKernel } from '../../runtime/webgpu/kernel.ts'
import { shader as rowNorm } from '../layer-norm/row-norm.wgsl.generated.ts'
import { shader as sum } from '../sum.wgsl.generated.ts'
import { tableCode } from '../webgpu-codes.ts'
import type { EmbeddingParameters } from './embedding.ts'
import { shader } from './embedding.wgsl.generated.ts'

/** Of a workgroup, which has one token. */
const threads = 64

export const embeddingWebgpu: WebgpuKernel<EmbeddingParameters> = ({ ids, word, type, weight, bias, epsilon, y }) => {
  const [rows = 0, width = 0] = y.shape
  if (rows === 0 || width === 0) return []
  const codes = { word: tableCode(word.dtype), types: tableCode(type.dtype) }
  return [
    {
      pipeline: { files: [sum, rowNorm, shader], constants: { THREADS: threads } },
      bindings: { ids, word, types: type, weight, bias, y },
      uniforms: { rows, width, stride: rowStride(width), epsilon, threads, ...codes },
      workgroups: grid(rows),
    },
  ]
}
