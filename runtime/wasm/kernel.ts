import type { Command } from '../device.ts'
import type { Tensor } from '../tensor.ts'

/**
 * One call into the module, cut into units that threads share out: `entry(parameters, from, to)` works off units from … to - 1.
 * Any grouping gives the same bits. A unit should stay under a few milliseconds. The next step starts when all are done.
 */
export interface WasmStep {
  /** Name of the module's export. */
  readonly entry: string
  readonly units: number
  /** What the entry reads, in order: 32-bit integers and addresses. Floats go through `floatBits`. */
  readonly parameters: readonly number[]
}

/** A step of the pass and the command it belongs to. */
export interface PassStep extends WasmStep {
  readonly command: Command
  /** This step's share of the command's flops. */
  readonly flops: number
}

export interface WasmAccess {
  /** The byte address of the tensor's first element. */
  address(tensor: Tensor): number
  /** Memory for the time of this command only, 64-byte aligned; contents undefined. */
  temporary(bytes: number): number
}

/** The host half of a kernel: what to call, in order. */
export type WasmKernel<Parameters> = (parameters: Parameters, access: WasmAccess) => readonly WasmStep[]

/** By operation name. */
export type WasmTable = Readonly<Record<string, WasmKernel<never>>>

const bits = new DataView(new ArrayBuffer(4))

/** The bits of a float32 as an integer parameter. */
export function floatBits(value: number): number {
  bits.setFloat32(0, value, true)
  return bits.getInt32(0, true)
}
