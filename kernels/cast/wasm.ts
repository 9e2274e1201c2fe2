import type { Dtype } from '../../runtime/dtype.ts'
import { sizeOf } from '../../runtime/shape.ts'
import type { WasmKernel, WasmStep } from '../../runtime/wasm/kernel.ts'
import type { CastParameters } from './cast.ts'

/** As in cast.as.ts. */
const block = 16384

const codes: readonly Dtype[] = ['f32', 'f16', 'bf16', 'i8', 'i32']

export const castWasm: WasmKernel<CastParameters> = ({ x, y }, access) => [
  castStep(access.address(x), x.dtype, access.address(y), y.dtype, sizeOf(x.shape)),
]

/** `length` elements from one address to another. */
export function castStep(source: number, from: Dtype, target: number, to: Dtype, length: number): WasmStep {
  return {
    entry: 'cast',
    units: Math.ceil(length / block),
    parameters: [source, codes.indexOf(from), target, codes.indexOf(to), length],
  }
}
