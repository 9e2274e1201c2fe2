import type { DeviceInfo } from '../../runtime/device.ts'
import type { Machine } from '../machine.ts'
import type { Spread } from '../statistics.ts'

/** What a device can do at most, measured in the same run. */
export interface Roof {
  /** Unique within a device: 'multiply-add f32', 'copy', … */
  readonly name: string
  readonly device: DeviceInfo['device']
  /** 10⁹ operations a second, a multiply-add counting 2, of integers too; 10⁹ bytes a second, read and written ones together. */
  readonly unit: 'GFLOP/s' | 'GB/s'
  readonly rate: number
  readonly how: string
}

/** Which kernel, on what. Together unique within a report. */
export interface KernelKey {
  readonly operation: string
  /** The shape and what is fused with it. */
  readonly name: string
  /** Of the weight or table, else of the values; q8 and q12 are integer codes. */
  readonly dtype: string
  readonly variant: string
  readonly device: DeviceInfo['device']
}

export interface TimedKernel extends KernelKey {
  readonly verdict: 'ok'
  /** By the operation's formula. */
  readonly flops: number
  /** Least traffic with memory: every operand once. */
  readonly bytes: number
  /** Of these, the results. */
  readonly bytesWritten: number
  /** Steps of the wasm device, where they do not depend on the machine. */
  readonly steps?: number
  readonly samples: number
  /** Of one call, wall clock. */
  readonly ms: Spread
  /** Of one call by the device's own timestamps; rates are by these where they are there. */
  readonly gpuMs?: Spread
  /** Of one call, the processor's time on all threads: other processes do not count. Absent where the runtime does not tell. */
  readonly processorMs?: Spread
  /** Of 10⁹ operations in registers, timed in turn with it: tells how busy the machine was. */
  readonly steadyMs: number
  /** The processor's least time for a few milliseconds of multiply-adds or, if memory limits the kernel, of copying. */
  readonly steadyProcessorMs?: number
  readonly gflopsPerSecond: number
  readonly gbPerSecond: number
  readonly bound: 'compute' | 'memory'
  /** Name of the roof that limits it. */
  readonly roof: string
  /** Its rate over what the roofs allow. */
  readonly ofRoof: number
}

export interface WrongKernel extends KernelKey {
  readonly verdict: { readonly wrong: string }
}

export type KernelEntry = TimedKernel | WrongKernel

export interface KernelSettings {
  readonly operations: readonly string[]
  readonly shapes: readonly string[]
  readonly dtypes: readonly string[]
  readonly variants: readonly string[]
  readonly devices: readonly string[]
  readonly threads: number | null
  readonly quick: boolean
}

export interface KernelReport {
  readonly schema: 'bareclip-bench-kernels-1'
  readonly machine: Machine
  /** ISO 8601, when the run began. */
  readonly date: string
  readonly settings: KernelSettings
  /** The first of `devices`. */
  readonly device: DeviceInfo
  readonly devices: readonly DeviceInfo[]
  readonly roofs: readonly Roof[]
  readonly kernels: readonly KernelEntry[]
}

export const isTimed = (entry: KernelEntry): entry is TimedKernel => entry.verdict === 'ok'
