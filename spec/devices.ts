import { referenceKernels } from '../kernels/reference.ts'
import { wasmKernels } from '../kernels/wasm.ts'
import type { Device, DeviceInfo } from '../runtime/device.ts'
import { createReferenceDevice } from '../runtime/reference/device.ts'
import { createWasmDevice } from '../runtime/wasm/device.ts'
import { compileModule } from '../runtime/wasm/module.ts'

export interface DeviceUnderTest {
  readonly name: DeviceInfo['device']
  /** Of an operation's result, given what its case allows. */
  readonly tolerance: (allowed: number) => number
  /** Undefined if the device is here; else what it takes. */
  readonly missing: string | undefined
  create(): Promise<Device>
}

/** float64 sums, rounded to float32 once at the end. */
const roundedOnce = 2 ** -23

/** One line each. */
export const candidates: readonly DeviceUnderTest[] = [
  {
    name: 'reference',
    tolerance: (allowed) => Math.min(allowed, roundedOnce),
    missing: undefined,
    create: async () => createReferenceDevice(referenceKernels),
  },
  {
    name: 'wasm',
    tolerance: (allowed) => allowed,
    missing: undefined,
    create: async () =>
      createWasmDevice(wasmKernels, {
        module: await compileModule(false),
        threads: 1,
        reason: 'under test',
        variants: {},
      }),
  },
]

/** Those that are here. spec/devices.spec.ts reports the others. */
export const devices = candidates.filter(({ missing }) => missing === undefined)

export const deviceNames = devices.map(({ name }) => name)
