import { referenceKernels } from '../kernels/reference.ts'
import type { Device } from '../runtime/device.ts'
import { BareclipError } from '../runtime/errors.ts'
import { createReferenceDevice } from '../runtime/reference/device.ts'
import { invalid, oneOf } from './options.ts'

export interface DeviceOptions {
  /** Default: 'auto', the fastest that is there. */
  readonly device?: 'auto' | 'reference' | 'wasm' | 'webgpu' | undefined
  /** What matrices and tables are stored in; sums are float32 at least. Default: 'f32'. */
  readonly dtype?: 'f32' | 'f16' | 'q12' | 'q8' | undefined
  /** Default: as many as the device can use. */
  readonly threads?: number | undefined
}

/** Throws INVALID_ARGUMENT, DEVICE_UNAVAILABLE. */
export function chooseDevice(options: DeviceOptions): { device: Device; dtype: 'f32' | 'f16' } {
  const { device = 'auto', dtype = 'f32', threads } = options
  oneOf('device', device, ['auto', 'reference', 'wasm', 'webgpu'])
  oneOf('dtype', dtype, ['f32', 'f16', 'q12', 'q8'])
  if (threads !== undefined && (!Number.isInteger(threads) || threads < 1)) {
    throw invalid('threads', 'an integer from 1', threads)
  }
  if (device === 'wasm' || device === 'webgpu') {
    throw new BareclipError(
      'DEVICE_UNAVAILABLE',
      `there is no ${device} device in this version: use 'auto' or 'reference'`,
    )
  }
  if (dtype === 'q12' || dtype === 'q8') {
    throw new BareclipError('DEVICE_UNAVAILABLE', `the reference device stores weights as f32 or f16, not ${dtype}`)
  }
  const why = device === 'auto' ? 'auto: the reference device is the only one in this version' : 'asked for'
  const single = threads !== undefined && threads > 1 ? `; it has one thread, not ${threads}` : ''
  return { device: createReferenceDevice(referenceKernels, why + single), dtype }
}
