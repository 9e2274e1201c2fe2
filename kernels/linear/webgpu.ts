import { scalesPerRow } from '../../runtime/quantize.ts'
import {
  type Dispatch,
  grid,
  type PipelineSpec,
  rowStride,
  type WebgpuAccess,
  type WebgpuKernel,
} from '../../runtime/webgpu/kernel.ts'
import { shader as activationFile } from '../activation.wgsl.generated.ts'
import { activationCode } from '../webgpu-codes.ts'
import { shader as finish } from './finish.wgsl.generated.ts'
import type { LinearParameters } from './linear.ts'
import { shader as narrow } from './narrow.wgsl.generated.ts'
import { shader as unscaled } from './unscaled.wgsl.generated.ts'
import { variantFor } from './variants.ts'
import { together, weightFile } from './weight-files.ts'
import { shader as xNarrow } from './x-narrow.wgsl.generated.ts'
import { shader as xScalar } from './x-scalar.wgsl.generated.ts'
import { shader as xVector } from './x-vector.wgsl.generated.ts'

export const linearWebgpu: WebgpuKernel<LinearParameters> = linearAs(variantFor)

/** The kernel with the variant that `variantOf` chooses: those of the ladder are in ladder.ts. */
export function linearAs(variantOf: typeof variantFor): WebgpuKernel<LinearParameters> {
  return (parameters, access) => {
    const { x, weight, scale, bias, activation, gate, residual, y } = parameters
    const [rows = 0, width = 0] = x.shape
    const [features = 0] = weight.shape
    const out = gate ? features / 2 : features
    if (rows === 0 || out === 0) return []
    const variant = variantOf({ rows, features, gate: gate !== undefined, dtype: weight.dtype }, access)
    const { files, tileRows, tileColumns, takes, why, ...rest } = variant
    const weights = weightFile(weight.dtype, access.extensions)
    const vectors = rowStride(width) / 4
    const xFile = width % 4 === 0 ? xVector : xScalar
    const narrowed =
      takes === 'f16' && narrowing(x.shape, access, { files: [xFile, narrow], enable: ['f16'] }, parameters)
    const xFiles = narrowed ? [xNarrow] : takes ? [xFile, unscaled] : [xFile]
    const enable = together(rest.enable, weights.enable)
    const pipeline: PipelineSpec = {
      ...rest,
      files: [activationFile, finish, ...xFiles, weights.file, ...files],
      ...(enable.length > 0 && { enable }),
    }
    const switches = {
      activation: activationCode(activation ?? gate),
      gate: gate ? 1 : 0,
      bias: bias ? 1 : 0,
      residual: residual ? 1 : 0,
    }
    const from = narrowed ? { x: narrowed.values, factors: narrowed.factors } : { x }
    const step = rowsPerDispatch(2 * features * width, tileRows, access)
    const dispatches: Dispatch[] = narrowed ? [narrowed.dispatch] : []
    for (let first = 0; first < rows; first += step) {
      const end = Math.min(rows, first + step)
      const scales = rowStride(scalesPerRow(width))
      dispatches.push({
        pipeline,
        bindings: { ...from, weight, ...(scale ? { scale } : {}), bias, residual, y },
        uniforms: { first, end, width, vectors, out, scales, ...switches },
        workgroups: [Math.ceil(features / tileColumns), Math.ceil((end - first) / tileRows), 1],
        flops: 2 * (end - first) * features * width,
        ...(why !== undefined && { why }),
      })
    }
    return dispatches
  }
}

/** x as float16, a factor for each row: a dispatch before the product. */
function narrowing(
  [rows = 0, width = 0]: readonly number[],
  access: WebgpuAccess,
  pipeline: PipelineSpec,
  { x }: LinearParameters,
) {
  const values = access.temporary('narrow x', [rows, rowStride(width)], 'f16')
  const factors = access.temporary('narrow factors', [rows])
  const dispatch: Dispatch = {
    pipeline,
    bindings: { x, narrow: values, factors },
    uniforms: { first: 0, end: rows, width, vectors: rowStride(width) / 4 },
    workgroups: grid(rows),
    flops: 2 * rows * width,
    why: 'rows scaled by powers of two, so that nothing overflows in f16',
  }
  return { values, factors, dispatch }
}

/** Rows of x that go at once: whole tiles, one at least. */
export function rowsPerDispatch(rowFlops: number, tileRows: number, { dispatchFlops }: WebgpuAccess): number {
  return Math.max(1, Math.floor(dispatchFlops / Math.max(1, rowFlops) / tileRows)) * tileRows
}
