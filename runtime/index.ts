export { type ArenaPlan, alignment, planArena } from './arena.ts'
export { equalBatch, type RaggedBatch, raggedBatch } from './batch.ts'
export type {
  Command,
  Device,
  DeviceInfo,
  MemoryLedger,
  Operation,
  RunOptions,
  Scope,
  WeightRole,
  WeightSpec,
} from './device.ts'
export { bytesPerElement, convert, type Dtype, type DtypeArray, viewOf } from './dtype.ts'
export { BareclipError, type ErrorCode } from './errors.ts'
export { createReferenceDevice } from './reference/device.ts'
export type { Access, FloatReader, ReferenceKernel, ReferenceTable, Work } from './reference/kernel.ts'
export { formatShape, type Shape, sameShape, sizeOf } from './shape.ts'
export { rowsOf, type Storage, type Tensor } from './tensor.ts'
export { createWasmDevice, type WasmOptions } from './wasm/device.ts'
export type { WasmAccess, WasmKernel, WasmStep, WasmTable } from './wasm/kernel.ts'
export { adoptModule, compileModule, type ModuleForm, type WasmModule, wasmModuleBytes } from './wasm/module.ts'
export { threadSource } from './wasm/thread-source.ts'
export { createWebgpuDevice, type WebgpuOptions } from './webgpu/device.ts'
export type {
  Dispatch,
  PipelineSpec,
  Shader,
  ShaderBinding,
  ShaderUniform,
  WebgpuAccess,
  WebgpuKernel,
  WebgpuTable,
  Workgroups,
} from './webgpu/kernel.ts'
export type { WebgpuSource } from './webgpu/open.ts'
