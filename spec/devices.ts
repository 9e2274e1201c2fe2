import { referenceKernels } from '../kernels/reference.ts'
import { wasmKernels } from '../kernels/wasm.ts'
import { webgpuKernels } from '../kernels/webgpu.ts'
import type { Device, DeviceInfo } from '../runtime/device.ts'
import { createReferenceDevice } from '../runtime/reference/device.ts'
import { createWasmDevice } from '../runtime/wasm/device.ts'
import { compileModule } from '../runtime/wasm/module.ts'
import { threadsPossible } from '../runtime/wasm/threads.ts'
import { createWebgpuDevice } from '../runtime/webgpu/device.ts'
import { casesOnly, findGpu } from './webgpu.ts'

export interface DeviceUnderTest {
  readonly name: string
  readonly device: DeviceInfo['device']
  /** Of an operation's result, given what its case allows. */
  readonly tolerance: (allowed: number) => number
  /** Undefined if the device is here; else what it takes. */
  readonly missing: string | undefined
  create(): Promise<Device>
  /** The operations that it has kernels for. */
  readonly operations: readonly string[]
}

/** float64 sums, rounded to float32 once at the end. */
const roundedOnce = 2 ** -23
const asAllowed = (allowed: number) => allowed

/** BARECLIP_DEVICES=wasm tests only that device: the full-size model takes an hour on the reference device. */
const only = process.env.BARECLIP_DEVICES?.split(',')
export const asked = (device: DeviceInfo['device']) => only === undefined || only.includes(device)

const operations = Object.keys(referenceKernels)
const gpu = asked('webgpu') ? await findGpu() : { missing: 'not asked for' }

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
    operations,
  },
  { name: 'wasm', device: 'wasm', tolerance: asAllowed, missing: undefined, create: () => wasm(1), operations },
  {
    name: 'wasm with 3 threads',
    device: 'wasm',
    tolerance: asAllowed,
    missing: noThreads,
    create: () => wasm(3),
    operations,
  },
  {
    name: 'webgpu',
    device: 'webgpu',
    tolerance: asAllowed,
    missing: 'missing' in gpu ? gpu.missing : undefined,
    create: webgpu,
    operations: Object.keys(webgpuKernels),
  },
]

async function wasm(threads: number): Promise<Device> {
  const module = await compileModule(threads > 1)
  return createWasmDevice(wasmKernels, { module, threads, reason: 'under test', variants: {} })
}

async function webgpu(): Promise<Device> {
  if ('missing' in gpu) throw new Error(gpu.missing)
  return createWebgpuDevice(webgpuKernels, { source: { gpu: gpu.gpu }, reason: 'under test' })
}

/** BARECLIP_THREADS=only leaves the wasm device on the caller's thread to a run that tests nothing else. */
const threadsOnly = process.env.BARECLIP_THREADS === 'only'

/** Those that are here. spec/devices.spec.ts reports the others. */
export const present = candidates.filter(
  ({ missing, device, name }) => missing === undefined && asked(device) && !(threadsOnly && name === 'wasm'),
)

/** Those that have every operation and run more than its cases. */
export const devices = present.filter(
  ({ operations: has, device }) =>
    operations.every((name) => has.includes(name)) && !(casesOnly && device === 'webgpu'),
)

/** As the `device` option of `load` names them. */
export const deviceNames = [...new Set(devices.map(({ device }) => device))]

/** What `load` needs for it. */
export const loadingOn = (device: DeviceInfo['device']) => ({
  device,
  ...(device === 'webgpu' && 'gpu' in gpu && { gpu: gpu.gpu }),
})
