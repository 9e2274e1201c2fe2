import { referenceKernels } from '../kernels/reference.ts'
import { wasmKernels } from '../kernels/wasm.ts'
import type { Device } from '../runtime/device.ts'
import { BareclipError, messageOf } from '../runtime/errors.ts'
import { createReferenceDevice } from '../runtime/reference/device.ts'
import { createWasmDevice } from '../runtime/wasm/device.ts'
import type { WasmTable } from '../runtime/wasm/kernel.ts'
import { compileModule } from '../runtime/wasm/module.ts'
import { defaultThreads, threadsPossible } from '../runtime/wasm/threads.ts'
import { invalid, oneOf } from './options.ts'
import { selfTest } from './self-test.ts'

export interface DeviceOptions {
  /** Default: 'auto', the fastest that is there and passes its self-test. */
  readonly device?: 'auto' | 'reference' | 'wasm' | 'webgpu' | undefined
  /** What matrices and tables are stored in; sums are float32 at least. Default: 'f32'. */
  readonly dtype?: 'f32' | 'f16' | 'q12' | 'q8' | undefined
  /** Default: as many as the device can use. */
  readonly threads?: number | undefined
  /** Makes a worker from bareclip/worker, where a page may make none from a blob (docs/browsers.md). */
  readonly workers?: (() => Worker) | undefined
}

export interface ChosenDeviceOptions extends DeviceOptions {
  /** What the wasm device runs; to measure one kernel against another. Default: kernels/wasm.ts. */
  readonly wasmTable?: WasmTable | undefined
}

/** More are of no use to the shapes of these towers. */
const mostThreads = 64

/** Throws INVALID_ARGUMENT, DEVICE_UNAVAILABLE. */
export async function chooseDevice(options: ChosenDeviceOptions): Promise<{ device: Device; dtype: 'f32' | 'f16' }> {
  const { device = 'auto', dtype = 'f32', threads } = options
  oneOf('device', device, ['auto', 'reference', 'wasm', 'webgpu'])
  oneOf('dtype', dtype, ['f32', 'f16', 'q12', 'q8'])
  if (threads !== undefined && (!Number.isInteger(threads) || threads < 1)) {
    throw invalid('threads', 'an integer from 1', threads)
  }
  if (device === 'webgpu') {
    throw new BareclipError('DEVICE_UNAVAILABLE', "there is no webgpu device in this version: use 'auto' or 'wasm'")
  }
  if (dtype === 'q12' || dtype === 'q8') {
    throw new BareclipError('DEVICE_UNAVAILABLE', `this version stores weights as f32 or f16, not ${dtype}`)
  }
  if (device === 'reference') return { device: reference('asked for by name', threads), dtype }
  const wasm = await tryWasm(device === 'auto' ? 'auto: the fastest device here' : 'asked for by name', options)
  if (typeof wasm !== 'string') return { device: wasm, dtype }
  if (device === 'wasm') throw new BareclipError('DEVICE_UNAVAILABLE', `the wasm device does not work here: ${wasm}`)
  return { device: reference(`auto: wasm does not work here: ${wasm}`, threads), dtype }
}

function reference(why: string, threads: number | undefined): Device {
  const single = threads !== undefined && threads > 1 ? `; it has one thread, not ${threads}` : ''
  return createReferenceDevice(referenceKernels, why + single)
}

/** The device, or why there is none. */
async function tryWasm(
  why: string,
  { threads: asked, workers, wasmTable }: ChosenDeviceOptions,
): Promise<Device | string> {
  const possible = threadsPossible()
  const wanted = Math.min(asked ?? defaultThreads(), mostThreads)
  const threads = possible.possible ? wanted : 1
  const fewer = asked !== undefined && asked > wanted ? `; ${wanted} threads at most, not ${asked}` : ''
  const alone = possible.possible || wanted === 1 ? '' : `; one thread: ${possible.reason}`
  try {
    return await startWasm(threads, why + fewer + alone, workers, wasmTable)
  } catch (error) {
    if (threads === 1) return messageOf(error)
    try {
      return await startWasm(1, `${why}; one thread: ${messageOf(error)}`, workers, wasmTable)
    } catch (second) {
      return `with ${threads} threads: ${messageOf(error)}; with one: ${messageOf(second)}`
    }
  }
}

/** Throws if the device cannot be made or fails its self-test. */
async function startWasm(
  threads: number,
  reason: string,
  workers: DeviceOptions['workers'],
  table: WasmTable = wasmKernels,
): Promise<Device> {
  const module = await compileModule(threads > 1)
  const device = await createWasmDevice(table, { module, threads, reason, variants: {}, workers })
  try {
    const wrong = await selfTest(device)
    if (wrong === undefined) return device
    throw new BareclipError('DEVICE_UNAVAILABLE', `its self-test failed: ${wrong}`)
  } catch (error) {
    device.dispose()
    throw error
  }
}
