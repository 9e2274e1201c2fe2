import type { WasmTable } from '../runtime/wasm/kernel.ts'
import { linearWasm } from './linear/wasm.ts'

/** Every operation as SIMD WebAssembly. */
export const wasmKernels = {
  linear: linearWasm,
} satisfies WasmTable
