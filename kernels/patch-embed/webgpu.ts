import { invariant } from '../../runtime/errors.ts'
import { type Dispatch, grid, rowStride, type WebgpuKernel } from '../../runtime/webgpu/kernel.ts'
import { variantFor } from '../linear/variants.ts'
import { rowsPerDispatch, weightFiles } from '../linear/webgpu.ts'
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
  const { file, constants, tileRows, tileColumns } = variantFor(rows, out, false)
  const weightFile = weightFiles[weight.dtype]
  invariant(weightFile, `patch-embed: no weight of ${weight.dtype}`)
  const pipeline = { files: [xPatches, weightFile, file], constants }
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
    })
  }
  return dispatches
}
