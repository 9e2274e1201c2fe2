import type { Device, DeviceInfo } from '../../../runtime/device.ts'
import type { Roof } from '../report.ts'
import type { Ceilings } from '../roofline.ts'
import type { BenchShape } from '../shapes/shape.ts'

/** One kernel of a device for an operation, ready to be chosen. */
export interface Variant {
  readonly name: string
  readonly device: Device
  /** From now on the device runs this one. */
  choose(): void
  /** Steps of the wasm device for what was last run. */
  steps?(): number
}

/** A device with all its variants and its roofs. */
export interface Target {
  readonly info: DeviceInfo
  /** As measured so far: they rise when something faster is seen. */
  readonly roofs: readonly Roof[]
  /** Whether the device has a clock of its own. */
  readonly timestamps: boolean
  /** A driver that computes on the processor, or plain JavaScript: large shapes would take minutes. */
  readonly slow: boolean
  variants(operation: string, dtype: string): readonly Variant[]
  /** For a shape and one of its variants. */
  ceilings(shape: Pick<BenchShape, 'operation' | 'dtype'>, variant: string): Ceilings
  /** share: of the looks at each, the more the better */
  measureRoofs(share: number): Promise<void>
  /** A few milliseconds of work in registers on as many threads: ms for 10⁹ operations. Tells how busy the machine is. */
  steady(): Promise<number>
  /** A few milliseconds of copying, if other processes may slow it. */
  steadyCopy?(): Promise<unknown>
  dispose(): void
}
