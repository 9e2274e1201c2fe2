import { grid, partRows, rowStride, type WebgpuKernel } from '../../runtime/webgpu/kernel.ts'
import { shader as rowNorm } from '../layer-norm/row-norm.wgsl.generated.ts'
import { shader as sum } from '../sum.wgsl.generated.ts'
import { tableCode } from '../webgpu-codes.ts'
import type { EmbeddingParameters } from './embedding.ts'
import { shader } from './embedding.wgsl.generated.ts'

/** Of a workgroup, which has one token. */
const threads = 64

export const embeddingWebgpu: WebgpuKernel<EmbeddingParameters> = (parameters, { limits }) => {
  const { ids, word, type, weight, bias, epsilon, y } = parameters
  const [rows = 0, width = 0] = y.shape
  const [vocabulary = 0] = word.shape
  if (rows === 0 || width === 0) return []
  const codes = { word: tableCode(word.dtype), types: tableCode(type.dtype) }
  const pipeline = { files: [sum, rowNorm, shader], constants: { THREADS: threads } }
  const step = partRows(vocabulary, width, word.dtype, limits)
  return Array.from({ length: Math.max(1, Math.ceil(vocabulary / step)) }, (_, part) => ({
    pipeline,
    bindings: { ids, word, types: type, weight, bias, y },
    parts: { word: part },
    uniforms: {
      ...{ rows, width, stride: rowStride(width), epsilon, threads, ...codes },
      ...{ firstId: part * step, endId: Math.min(vocabulary, (part + 1) * step) },
    },
    workgroups: grid(rows),
  }))
}
