import { invariant } from '../../runtime/errors.ts'
import { scalesPerRow } from '../../runtime/quantize.ts'
import {
  type Dispatch,
  type PipelineSpec,
  rowStride,
  type Shader,
  type WebgpuAccess,
  type WebgpuKernel,
} from '../../runtime/webgpu/kernel.ts'
import { shader as activationFile } from '../activation.wgsl.generated.ts'
import { activationCode } from '../webgpu-codes.ts'
import { shader as finish } from './finish.wgsl.generated.ts'
import type { LinearParameters } from './linear.ts'
import { variantFor } from './variants.ts'
import { shader as weightBf16 } from './weight-bf16.wgsl.generated.ts'
import { shader as weightF16 } from './weight-f16.wgsl.generated.ts'
import { shader as weightF32 } from './weight-f32.wgsl.generated.ts'
import { shader as weightI8 } from './weight-i8.wgsl.generated.ts'
import { shader as weightI16 } from './weight-i16.wgsl.generated.ts'
import { shader as xScalar } from './x-scalar.wgsl.generated.ts'
import { shader as xVector } from './x-vector.wgsl.generated.ts'

/** `weight` and loadWeight, by dtype. */
export const weightFiles: Readonly<Record<string, Shader>> = {
  f32: weightF32,
  f16: weightF16,
  bf16: weightBf16,
  i8: weightI8,
  i16: weightI16,
}

export const linearWebgpu: WebgpuKernel<LinearParameters> = linearAs(variantFor)

/** The kernel with the variant that `variantOf` chooses: those of the ladder are in ladder.ts. */
export function linearAs(variantOf: typeof variantFor): WebgpuKernel<LinearParameters> {
  return (parameters, access) => {
    const { x, weight, scale, bias, activation, gate, residual, y } = parameters
    const [rows = 0, width = 0] = x.shape
    const [features = 0] = weight.shape
    const out = gate ? features / 2 : features
    if (rows === 0 || out === 0) return []
    const { file, constants, tileRows, tileColumns, why } = variantOf(rows, features, gate !== undefined)
    const weightFile = weightFiles[weight.dtype]
    invariant(weightFile, `linear: no weight of ${weight.dtype}`)
    const pipeline: PipelineSpec = {
      files: [activationFile, finish, width % 4 === 0 ? xVector : xScalar, weightFile, file],
      constants,
    }
    const switches = {
      activation: activationCode(activation ?? gate),
      gate: gate ? 1 : 0,
      bias: bias ? 1 : 0,
      residual: residual ? 1 : 0,
    }
    const step = rowsPerDispatch(2 * features * width, tileRows, access)
    const dispatches: Dispatch[] = []
    for (let first = 0; first < rows; first += step) {
      const end = Math.min(rows, first + step)
      const scales = rowStride(scalesPerRow(width))
      dispatches.push({
        pipeline,
        bindings: { x, weight, ...(scale ? { scale } : {}), bias, residual, y },
        uniforms: { first, end, width, vectors: rowStride(width) / 4, out, scales, ...switches },
        workgroups: [Math.ceil(features / tileColumns), Math.ceil((end - first) / tileRows), 1],
        flops: end - first,
        ...(why !== undefined && { why }),
      })
    }
    return dispatches
  }
}

/** Rows of x that go at once: whole tiles, one at least. */
export function rowsPerDispatch(rowFlops: number, tileRows: number, { dispatchFlops }: WebgpuAccess): number {
  return Math.max(1, Math.floor(dispatchFlops / Math.max(1, rowFlops) / tileRows)) * tileRows
}
