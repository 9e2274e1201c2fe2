import { allCases } from '../../kernels/cases.ts'
import type { WasmTable } from '../../runtime/wasm/kernel.ts'
import type { WebgpuTable } from '../../runtime/webgpu/kernel.ts'
import type { Machine } from '../machine.ts'
import type { KernelEntry, Roof } from './report.ts'
import type { Target } from './targets/target.ts'

export type BenchDevice = 'reference' | 'wasm' | 'webgpu'
export type KernelDtype = 'f32' | 'f16' | 'q12' | 'q8'

export const kernelDtypes: readonly KernelDtype[] = ['f32', 'f16', 'q12', 'q8']
export const kernelOperations: readonly string[] = [...new Set(allCases().map(({ operation }) => operation))]

export interface KernelOptions {
  readonly machine: Machine
  /** Default: all. */
  readonly operations?: readonly string[] | undefined
  /** Rows x in x out, or as the operation has it; default: those of the model. */
  readonly shapes?: readonly string[] | undefined
  readonly dtypes?: readonly KernelDtype[] | undefined
  /** A variant runs if its name holds one of these; default: all. */
  readonly variants?: readonly string[] | undefined
  /** Default: wasm, and webgpu where a real graphics processor is there. */
  readonly devices?: readonly BenchDevice[] | undefined
  readonly threads?: number | undefined
  readonly gpu?: (() => Promise<GPU>) | undefined
  /** Fewer shapes and samples. */
  readonly quick?: boolean | undefined
  /** To measure other kernels than ours. */
  readonly tables?: { readonly wasm?: WasmTable; readonly webgpu?: WebgpuTable } | undefined
  readonly signal?: AbortSignal | undefined
  readonly onTarget?: ((target: Target) => Promise<void>) | undefined
  /** Roofs that a later look found higher, by more than a twentieth, and their rates before, by name. */
  readonly onRisen?: ((roofs: readonly Roof[], before: ReadonlyMap<string, number>) => Promise<void>) | undefined
  readonly onEntries?: ((entries: readonly KernelEntry[], target: Target) => Promise<void>) | undefined
  readonly onProgress?: ((text: string) => void) | undefined
}
