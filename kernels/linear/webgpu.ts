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
import { shader as tiled } from './tiled.wgsl.generated.ts'
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

/** One shape of the tile: which file, and how many rows and columns of y a workgroup computes. */
export interface LinearVariant {
  readonly file: Shader
  readonly constants: Readonly<Record<string, number>>
  readonly tileRows: number
  /** Rows of the weight; a gate takes half of them from each half of it. */
  readonly tileColumns: number
  /** In few words: for who asks what runs. */
  readonly why?: string
}

/** As in tiled.wgsl. */
const side = 16
const columns = 4

/** More rows to a thread make better use of what it reads; a tile that is mostly empty makes none. */
export const tiledVariant = (rows: number): LinearVariant => {
  const perThread = rows > 2 * side ? 4 : rows > side ? 2 : 1
  return {
    file: tiled,
    constants: { ROWS: perThread, COLUMNS: columns },
    tileRows: side * perThread,
    tileColumns: side * columns,
    why: `tiles of ${side * perThread} rows: the smallest that holds all of them, ${4 * side} at most`,
  }
}

export const linearWebgpu: WebgpuKernel<LinearParameters> = linearAs(tiledVariant)

/** The kernel with one variant for each number of rows: those of the ladder are in ladder.ts. */
export function linearAs(variantOf: (rows: number) => LinearVariant): WebgpuKernel<LinearParameters> {
  return (parameters, access) => {
    const { x, weight, scale, bias, activation, gate, residual, y } = parameters
    const [rows = 0, width = 0] = x.shape
    const [features = 0] = weight.shape
    const out = gate ? features / 2 : features
    if (rows === 0 || out === 0) return []
    const { file, constants, tileRows, tileColumns, why } = variantOf(rows)
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
