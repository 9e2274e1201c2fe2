import { referenceKernels } from '../kernels/reference.ts'
import { wasmKernels } from '../kernels/wasm.ts'
import type { Device, DeviceInfo } from '../runtime/device.ts'
import { createReferenceDevice } from '../runtime/reference/device.ts'
import { createWasmDevice } from '../runtime/wasm/device.ts'
import { compileModule } from '../runtime/wasm/module.ts'
import { threadsPossible } from '../runtime/wasm/threads.ts'

export interface DeviceUnderTest {
  readonly name: string
  readonly device: DeviceInfo['device']
  /** Of an operation's result, given what its case allows. */
  readonly tolerance: (allowed: number) => number
  /** Undefined if the device is here; else what it takes. */
  readonly missing: string | undefined
  create(): Promise<Device>
}

/** float64 sums, rounded to float32 once at the end. */
const roundedOnce = 2 ** -23
const asAllowed = (allowed: number) => allowed

const possible = threadsPossible()
const noThreads = possible.possible ? undefined : possible.reason

/** One line each. */
export const candidates: readonly DeviceUnderTest[] = [
  {
    name: 'reference',
    device: 'reference',
    tolerance: (allowed) => Math.min(allowed, roundedOnce),
    missing: undefined,
    create: async () => createReferenceDevice(referenceKernels),
  },
  { name: 'wasm', device: 'wasm', tolerance: asAllowed, missing: undefined, create: () => wasm(1) },
  { name: 'wasm with 3 threads', device: 'wasm', tolerance: asAllowed, missing: noThreads, create: () => wasm(3) },
]

async function wasm(threads: number): Promise<Device> {
  const module = await compileModule(threads > 1)
  return createWasmDevice(wasmKernels, { module, threads, reason: 'under test', variants: {} })
}

/** BARECLIP_DEVICES=wasm tests only that device: the full-size model takes an hour on the reference device. */
const only = process.env.BARECLIP_DEVICES?.split(',')

/** Those that are here. spec/devices.spec.ts reports the others. */
export const devices = candidates.filter(
  ({ missing, device }) => missing === undefined && (only === undefined || only.includes(device)),
)

/** As the `device` option of `load` names them. */
export const deviceNames = [...new Set(devices.map(({ device }) => device))]
