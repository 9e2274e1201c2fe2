import { type Dispatch, grid, type PipelineSpec, rowStride, type WebgpuKernel } from '../../runtime/webgpu/kernel.ts'
import { shader as unscaled } from '../linear/unscaled.wgsl.generated.ts'
import { variantFor } from '../linear/variants.ts'
import { rowsPerDispatch } from '../linear/webgpu.ts'
import { together, weightFile } from '../linear/weight-files.ts'
import { shader as classTokens } from './class-token.wgsl.generated.ts'
import type { PatchEmbedParameters } from './patch-embed.ts'
import { shader as xPatches } from './x-patches.wgsl.generated.ts'

/** As in class-token.wgsl. */
const threads = 256

/** linear's tiles over patches that are read in place, and one dispatch for the class tokens. */
export const patchEmbedWebgpu: WebgpuKernel<PatchEmbedParameters> = (parameters, access) => {
  const { pixels, patch, weight, bias, classToken, position, y } = parameters
  const [images = 0, , size = 0] = pixels.shape
  const [out = 0, width = 0] = weight.shape
  const side = Math.floor(size / patch)
  const rows = images * side * side
  if (images === 0 || out === 0) return []
  const tokens = 1 + side * side
  const first: Dispatch = {
    pipeline: { files: [classTokens] },
    bindings: { classToken, position, y },
    uniforms: { size: images * out, out, tokens },
    workgroups: grid(Math.ceil((images * out) / threads)),
    flops: 1,
  }
  // Pixels are read in place, as float32, so of matrices only float32 ones will do: the weight is taken for such a one.
  const variant = variantFor({ rows, features: out, gate: false, dtype: 'f32' }, access)
  const { files, tileRows, tileColumns, takes, why, ...rest } = variant
  const weights = weightFile(weight.dtype, access.extensions)
  const enable = together(rest.enable, weights.enable)
  const pipeline: PipelineSpec = {
    ...rest,
    files: [xPatches, ...(takes ? [unscaled] : []), weights.file, ...files],
    ...(enable.length > 0 && { enable }),
  }
  const step = rowsPerDispatch(2 * out * width, tileRows, access)
  const dispatches = [first]
  for (let row = 0; row < rows; row += step) {
    const end = Math.min(rows, row + step)
    const vectors = rowStride(width) / 4
    dispatches.push({
      pipeline,
      bindings: { pixels, weight, bias, position, y },
      uniforms: { first: row, end, width, vectors, out, gate: 0, size, patchSize: patch, grid: side },
      workgroups: [Math.ceil(out / tileColumns), Math.ceil((end - row) / tileRows), 1],
      flops: (end - row) * out * width,
      ...(why !== undefined && { why }),
    })
  }
  return dispatches
}
