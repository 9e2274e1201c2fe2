import type { Dtype, DtypeArray } from './dtype.ts'
import type { Shape } from './shape.ts'
import type { Tensor } from './tensor.ts'

/**
 * What an operation is to the runtime: a name under which each device finds its kernel, and what can be known of one use
 * without running it. `kernels/<operation>/<operation>.ts` defines one each.
 */
export interface Operation<Parameters> {
  readonly name: string
  /** Throws SHAPE_MISMATCH. */
  validate(parameters: Parameters): void
  reads(parameters: Parameters): readonly Tensor[]
  /** May name a tensor of `reads` as well: then the kernel works in place. */
  writes(parameters: Parameters): readonly Tensor[]
  /** One multiply-add counts 2. */
  flops(parameters: Parameters): number
  /** Least traffic with memory: every operand once. */
  bytes(parameters: Parameters): number
}

/** One recorded use of an operation. */
export interface Command<Parameters = unknown> {
  readonly operation: Operation<Parameters>
  readonly parameters: Parameters
}

/**
 * How a weight will be used decides where it is put: a `matrix` (out, in) is multiplied by `linear` and `patch-embed` and may
 * be packed; a `table` (rows, width) is looked up by row; a `vector` is read as it is and is always f32.
 */
export type WeightRole = 'matrix' | 'table' | 'vector'

export interface WeightSpec {
  readonly label: string
  readonly role: WeightRole
  readonly shape: Shape
  readonly dtype: Dtype
}

/**
 * One forward pass while it is recorded, run and read. Nothing computes before `Device.run`. Memory for scratch is planned
 * then, from the first and last command that names each tensor, so nothing is released by hand.
 */
export interface Scope {
  readonly commands: readonly Command[]
  /** A tensor that holds `values` when the pass starts. The values are copied at `run`. */
  input(label: string, dtype: Dtype, shape: Shape, values: DtypeArray): Tensor
  /** A tensor whose content is undefined until a command writes it. */
  scratch(label: string, shape: Shape, dtype?: Dtype): Tensor
  /** Keeps the tensor's content until the scope ends, so that it can be read. */
  output(tensor: Tensor): Tensor
  record<Parameters>(operation: Operation<Parameters>, parameters: Parameters): void
  /** Ends the pass: its tensors are invalid, its scratch memory serves the next pass. */
  end(): void
}

export interface RunOptions {
  /** Checked at least every 100 ms. The call rejects with `signal.reason`; the device can be used again at once. */
  readonly signal?: AbortSignal | undefined
  /** Monotonic, in flops; the last call has done = total. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined
  /** Called after each command with its time in milliseconds. Devices that cannot time single commands never call it. */
  readonly onCommand?: ((command: Command, ms: number) => void) | undefined
}

/** A kernel as a device compiles it, and why a command runs on it. */
export interface KernelPlan {
  /** Printable; two that are alike are compiled once. */
  readonly kernel: string
  /** In few words, where there was a choice. */
  readonly why?: string | undefined
  /** What compiling it took, side by side with others, in milliseconds. Undefined before it is compiled. */
  readonly compileMs?: number | undefined
}

export interface CompileOptions {
  /** In kernels, never falls; the last call has done = total. Not called where nothing is left to compile. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined
}

/** In bytes. */
export interface MemoryLedger {
  readonly weights: number
  /** Scratch memory that is held, in use or not. */
  readonly scratch: number
  /** The largest weights + scratch so far. */
  readonly peak: number
}

export interface DeviceInfo {
  readonly device: 'reference' | 'wasm' | 'webgpu'
  readonly threads: number
  /** Why this device, these threads: for a person to read. */
  readonly reason: string
  /** The kernel variant that runs, for each operation that has more than one. */
  readonly variants: Readonly<Record<string, string>>
  /** What is behind WebGPU; undefined on other devices. */
  readonly adapter?: AdapterInfo | undefined
}

export interface AdapterInfo {
  /** Vendor, architecture, driver: for a person to read. */
  readonly description: string
  /** A driver that computes on the processor: far slower than the wasm device. */
  readonly software: boolean
  /** WebGPU's optional features that are in use. */
  readonly features: readonly string[]
  /** Those that decide what fits and which variant runs: WebGPU's names, bytes or counts. */
  readonly limits: Readonly<Record<string, number>>
}

/**
 * Where tensors live and operations run. Not a compiler and not a graph: it runs a list of commands in order. Not a thread
 * either: one scope is open at a time, and whoever shares a device queues (clip/queue.ts). A table of kernels is injected
 * when the device is made, so nothing here knows an operation by name.
 */
export interface Device {
  readonly info: DeviceInfo
  /** Memory for a weight, zeros until written, held until `free` or `dispose`. Throws OUT_OF_MEMORY. */
  allocate(spec: WeightSpec): Tensor
  /**
   * Writes `values` (elements of dtype `from`) into a weight, starting at element `offset` of its logical row-major order;
   * converts to the weight's dtype and packs as the device likes. A matrix is written in whole rows.
   */
  write(weight: Tensor, from: Dtype, values: DtypeArray, offset?: number): Promise<void>
  free(weight: Tensor): void
  scope(): Scope
  /**
   * Of devices that compile kernels for their use: compiles in parallel what the commands of these recordings need, so that
   * no run waits for it. The recordings need not be open scopes. Throws DEVICE_UNAVAILABLE if a kernel does not compile.
   */
  compile?(recordings: readonly Scope[], options?: CompileOptions): Promise<void>
  /** As `compile`, of one recording: the kernels of each command, in order. Compiles and runs nothing. */
  kernelsOf?(recording: Scope): ReadonlyMap<Command, readonly KernelPlan[]>
  /** Runs what the scope recorded. Never blocks the calling thread for long. */
  run(scope: Scope, options?: RunOptions): Promise<void>
  /** A copy of an output's elements, after `run` and before the scope ends. */
  read(tensor: Tensor): Promise<DtypeArray>
  memory(): MemoryLedger
  /**
   * Frees everything and ends a run that is on. Safe to call twice. Any other call afterwards, and that run, throws DISPOSED;
   * only `free`, which does nothing then, and `memory` still answer.
   */
  dispose(): void
}
