/**
 * A type of WebGPU where a program has it, from @webgpu/types or from the dom library of TypeScript 6, else any object: our
 * declarations have to compile without those too.
 */
type Global<Name extends string> =
  typeof globalThis extends Readonly<Record<Name, { readonly prototype: infer Type }>> ? Type : object

export type Gpu = Global<'GPU'>
export type GpuDevice = Global<'GPUDevice'>
export type GpuAdapterInfo = Global<'GPUAdapterInfo'>
export type GpuLimits = Global<'GPUSupportedLimits'>
