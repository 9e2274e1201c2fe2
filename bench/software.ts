import type { DeviceInfo } from '../runtime/device.ts'

/** Said wherever WebGPU computes on the processor. */
export const softwareNote = 'SOFTWARE ADAPTER: no measure of any GPU'

/** A line of its own, where it is so. */
export const softwareLine = ({ adapter }: Pick<DeviceInfo, 'adapter'>) =>
  adapter?.software ? `\n*** ${softwareNote} ***\n\n` : ''
