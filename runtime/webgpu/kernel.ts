import type { GpuLimits } from '../../platform/globals.ts'
import { bytesPerElement, type Dtype } from '../dtype.ts'
import type { Shape } from '../shape.ts'
import type { Tensor } from '../tensor.ts'

/** One .wgsl file as scripts/build-wgsl.mjs embeds it: its text, and what the host has to know of it, read from the text. */
export interface Shader {
  /** Folder and file, `linear/tiled`. */
  readonly name: string
  readonly code: string
  /** `@group(0) @binding(binding) var<storage, access> name` */
  readonly bindings: readonly ShaderBinding[]
  /** The members of `struct Parameters`, in order; empty if the file has none. */
  readonly uniforms: readonly ShaderUniform[]
}

export interface ShaderBinding {
  readonly name: string
  readonly binding: number
  readonly access: 'read' | 'read_write'
}

export interface ShaderUniform {
  readonly name: string
  readonly type: 'u32' | 'i32' | 'f32'
}

/** What a module is made of. Two that are alike are compiled once. */
export interface PipelineSpec {
  /** Joined in this order behind the prologue. The last one has the entry point, `main`; one of them `struct Parameters`. */
  readonly files: readonly Shader[]
  /** `const NAME: u32 = …` (or bool) in the prologue: tile sizes and switches. */
  readonly constants?: Readonly<Record<string, number | boolean>>
  /** `alias NAME = …` in the prologue: element types. */
  readonly aliases?: Readonly<Record<string, string>>
  /** `enable …` in the prologue; each has to be among `WebgpuAccess.extensions`. */
  readonly enable?: readonly string[]
  /** `diagnostic(off, …)` in the prologue: rules that the files keep in a way that compilers do not see. */
  readonly unchecked?: readonly string[]
}

/** Workgroups along x, y and z, each at most 65,535: see `grid`. */
export type Workgroups = readonly [number, number, number]

/** One dispatch. Dispatches run in order; what one writes the next one sees. */
export interface Dispatch {
  readonly pipeline: PipelineSpec
  /**
   * A tensor for every binding of the files, by name. Undefined binds zeros, 256 bytes of them: for what a switch turned off.
   * A tensor may be bound to several `read` bindings. Where a `read` and a `read_write` binding name the same storage, the
   * device hands the shader a copy of what is read (WebGPU allows no such pair).
   */
  readonly bindings: Readonly<Record<string, Tensor | undefined>>
  /** Of a table in several parts, which one is bound, by name: see `partRows`. Default: the first. */
  readonly parts?: Readonly<Record<string, number>>
  /** A value for every member of `struct Parameters`, by name. */
  readonly uniforms: Readonly<Record<string, number>>
  readonly workgroups: Workgroups
  /** Share of the command's work. Default: all dispatches alike. */
  readonly flops?: number
  /** Why this pipeline and no other, in few words, where the kernel has a choice. */
  readonly why?: string
}

/** Sizes of one matrix product that a subgroup computes as a whole: (M, K) · (K, N), with sums of `result`. */
export interface SubgroupMatrix {
  readonly component: string
  readonly result: string
  readonly M: number
  readonly N: number
  readonly K: number
}

/** What an adapter tells of itself beside its limits. */
export interface AdapterTraits {
  /** A driver that computes on the processor: far slower, and slow to compile. */
  readonly software: boolean
  /** Fewest and most invocations of a subgroup. */
  readonly subgroupSizes: readonly [number, number]
  readonly subgroupMatrices: readonly SubgroupMatrix[]
}

export interface WebgpuAccess {
  /** WGSL extensions that the device has: 'f16', 'subgroups', 'chromium_experimental_subgroup_matrix'. */
  readonly extensions: ReadonlySet<string>
  readonly traits: AdapterTraits
  readonly limits: GpuLimits
  /** Work that one dispatch should not exceed, so that drivers' watchdogs and an abort get their turn: cut rows into several. */
  readonly dispatchFlops: number
  /**
   * A tensor for the time of this command only; contents undefined. Labels differ, or the tensors are one. What is asked for
   * must not depend on `dispatchFlops`, which may change before the command's turn comes.
   */
  temporary(label: string, shape: Shape, dtype?: Dtype): Tensor
}

/** The host half of a kernel: what to dispatch, in order; nothing where there is nothing to compute. */
export type WebgpuKernel<Parameters> = (parameters: Parameters, access: WebgpuAccess) => readonly Dispatch[]

/** By operation name. */
export type WebgpuTable = Readonly<Record<string, WebgpuKernel<never>>>

const most = 65535

/**
 * A grid of at least `count` workgroups. The shader finds its own with
 * `let group = workgroup.x + workgroup.y * workgroups.x` and returns where that is past the end.
 */
export function grid(count: number): Workgroups {
  if (count <= most) return [count, 1, 1]
  const rows = Math.ceil(count / most)
  return [Math.ceil(count / rows), rows, 1]
}

/** Rows of a table that one binding holds: larger tables are in several parts, each a buffer of so many rows. */
export function partRows(rows: number, width: number, dtype: Dtype, limits: GpuLimits): number {
  const rowBytes = Math.max(1, rowStride(width) * bytesPerElement[dtype])
  const most = Math.floor(Math.min(limits.maxBufferSize, limits.maxStorageBufferBindingSize) / rowBytes)
  return Math.max(1, Math.min(rows, most))
}

/** Elements from one row of a matrix or table to the next: rows are padded with zeros to whole vectors of four. */
export function rowStride(width: number): number {
  return Math.ceil(width / 4) * 4
}
