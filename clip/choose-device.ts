import { referenceKernels } from '../kernels/reference.ts'
import { wasmKernels } from '../kernels/wasm.ts'
import type { Device } from '../runtime/device.ts'
import { BareclipError, messageOf } from '../runtime/errors.ts'
import { createReferenceDevice } from '../runtime/reference/device.ts'
import { createWasmDevice, type WasmOptions } from '../runtime/wasm/device.ts'
import { aligned, largestMemory, type MemoryPlan } from '../runtime/wasm/heap.ts'
import type { WasmTable } from '../runtime/wasm/kernel.ts'
import { adoptModule, compileModule, type WasmModule } from '../runtime/wasm/module.ts'
import { weightBytes } from '../runtime/wasm/panels.ts'
import { defaultThreads, mostThreads, threadsPossible } from '../runtime/wasm/threads.ts'
import { checkWebgpuOptions, type Startup, startWebgpu, type WebgpuDeviceOptions } from './choose-webgpu.ts'
import type { ModelDtype } from './dtype.ts'
import { invalid, oneOf, type Progress } from './options.ts'
import type { ModelMemory } from './plan-memory.ts'
import { selfTest, smallShape } from './self-test.ts'

export interface DeviceOptions extends Pick<WebgpuDeviceOptions, 'gpu' | 'gpuDevice'> {
  /** Default: 'auto', the fastest that is there and passes its self-test. */
  readonly device?: 'auto' | 'reference' | 'wasm' | 'webgpu' | undefined
  /**
   * What matrices and tables are held in; sums are float32 at least. q12 and q8: matrices are integers with a scale per 64
   * columns, tables f16; weights must be finite. Default: what the weights are stored in if that is q12 or q8, else 'f32'.
   */
  readonly dtype?: ModelDtype | undefined
  /** Default: as many as the device can use. */
  readonly threads?: number | undefined
  /** Makes a worker from bareclip/worker, where a page may make none from a blob (docs/browsers.md). */
  readonly workers?: (() => Worker) | undefined
  /** Compiled from `wasmModuleBytes` of bareclip/runtime, for places where compiling is forbidden. Of the wasm device only. */
  readonly wasmModule?: WebAssembly.Module | undefined
}

export interface ChosenDeviceOptions extends DeviceOptions, WebgpuDeviceOptions {
  /** What the wasm device runs; to measure one kernel against another. Default: kernels/wasm.ts. */
  readonly wasmTable?: WasmTable | undefined
}

export interface ChooseOptions {
  /** What the model will hold, given the dtype, if one is to be loaded. */
  readonly memory?: ((dtype: ModelDtype) => ModelMemory) | undefined
  /** Why auto leaves webgpu out, which was tried before. */
  readonly noWebgpu?: string | undefined
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((progress: Progress) => void) | undefined
}

export interface ChosenDevice {
  readonly device: Device
  readonly dtype: ModelDtype
  /** Of a device that compiles its kernels. */
  readonly startup?: Startup
  /** Makes another device of the same kind, after a loss; undefined where there can be none. */
  readonly restart?: (signal: AbortSignal) => Promise<Device>
}

/** Throws INVALID_ARGUMENT, DEVICE_UNAVAILABLE, OUT_OF_MEMORY, DEVICE_LOST, the signal's reason, and what `memory` throws. */
export async function chooseDevice(options: ChosenDeviceOptions, rest: ChooseOptions = {}): Promise<ChosenDevice> {
  const { device = 'auto', dtype = 'f32', threads } = options
  const adopted = checkOptions(options)
  if (device === 'reference') return { device: reference('asked for by name', threads), dtype }
  const planned = rest.memory?.(dtype)
  let noGpu = rest.noWebgpu === undefined ? '' : `; no webgpu: ${rest.noWebgpu}`
  if (device === 'webgpu' || (device === 'auto' && noGpu === '')) {
    const webgpu = await tryWebgpu(options, dtype, planned, rest)
    if ('device' in webgpu) return webgpu
    if (device === 'webgpu') {
      const { code, message } = webgpu
      throw new BareclipError(code, `the webgpu device does not work here: ${message}`, { cause: webgpu })
    }
    noGpu = `; no webgpu: ${webgpu.message}`
  }
  const plan = planned && planWasm(planned, dtype)
  const why = device === 'auto' ? `auto: the fastest device here${noGpu}` : 'asked for by name'
  const wasm = await tryWasm(why, options, adopted, plan, rest.signal)
  if ('info' in wasm) return { device: wasm, dtype }
  if (device === 'wasm') throw new BareclipError(wasm.code, `the wasm device does not work here: ${wasm.message}`)
  return { device: reference(`auto: wasm does not work here: ${wasm.message}${noGpu}`, threads), dtype }
}

/** → the module handed in, if any. Throws INVALID_ARGUMENT. */
function checkOptions(options: ChosenDeviceOptions): WasmModule | undefined {
  const { device = 'auto', dtype = 'f32', threads, wasmModule } = options
  oneOf('device', device, ['auto', 'reference', 'wasm', 'webgpu'])
  oneOf('dtype', dtype, ['f32', 'f16', 'q12', 'q8'])
  if (threads !== undefined && (!Number.isInteger(threads) || threads < 1)) {
    throw invalid('threads', 'an integer from 1', threads)
  }
  checkWebgpuOptions(options)
  if (wasmModule === undefined) return undefined
  if (device !== 'auto' && device !== 'wasm') {
    throw new BareclipError('INVALID_ARGUMENT', `wasmModule is of no use to device '${device}': use 'auto' or 'wasm'`)
  }
  return adoptModule(wasmModule)
}

/** The device, or why there is none. Throws what is no matter of the device: the signal's reason. */
async function tryWebgpu(
  options: ChosenDeviceOptions,
  dtype: ModelDtype,
  memory: ModelMemory | undefined,
  { signal, onProgress }: ChooseOptions,
): Promise<ChosenDevice | BareclipError> {
  const { device, gpu, gpuDevice, webgpuTable, threads } = options
  const named = device === 'webgpu'
  const idle = threads !== undefined && threads > 1 ? `; it has no threads, not ${threads}` : ''
  const reason = (named ? 'asked for by name' : 'auto: the fastest device here') + idle
  const start = { gpu, gpuDevice, webgpuTable, reason, realOnly: !named, dtype, memory }
  try {
    const started = await startWebgpu({ ...start, signal, onProgress })
    if (gpuDevice) return { ...started, dtype }
    const again = { ...start, reason: `${reason}; rebuilt after a loss` }
    return { ...started, dtype, restart: async (signal) => (await startWebgpu({ ...again, signal })).device }
  } catch (error) {
    if (error instanceof BareclipError) return error
    if (named || signal?.aborted) throw error
    return new BareclipError('DEVICE_UNAVAILABLE', messageOf(error), { cause: error })
  }
}

function reference(why: string, threads: number | undefined): Device {
  const single = threads !== undefined && threads > 1 ? `; it has one thread, not ${threads}` : ''
  return createReferenceDevice(referenceKernels, why + single)
}

/** Beside what is planned exactly: kernels' own memory grows with the arena, threads and the module want some. */
const spare = 64 * 2 ** 20

/** Throws OUT_OF_MEMORY if the weights cannot be addressed. */
function planWasm({ weights, arena }: ModelMemory, dtype: string): MemoryPlan {
  const bytes = weights.reduce((sum, spec) => sum + aligned(weightBytes(spec)), 0)
  if (bytes + spare > largestMemory) {
    throw new BareclipError(
      'OUT_OF_MEMORY',
      `the weights take ${Math.ceil(bytes / 2 ** 20)} MiB as ${dtype}, WebAssembly addresses ${largestMemory / 2 ** 20} MiB with ${spare / 2 ** 20} MiB for the rest: use a smaller dtype, or device: 'reference'`,
    )
  }
  return { weights: bytes, scratch: () => 2 * arena() + spare }
}

/** The device, or why there is none. Throws the signal's reason. adopted: the user's module */
async function tryWasm(
  why: string,
  { dtype = 'f32', threads: asked, workers, wasmTable }: ChosenDeviceOptions,
  adopted: WasmModule | undefined,
  plan: MemoryPlan | undefined,
  signal: AbortSignal | undefined,
): Promise<Device | Pick<BareclipError, 'code' | 'message'>> {
  const possible = threadsPossible()
  const wanted = Math.min(asked ?? defaultThreads(), mostThreads)
  const alone = possible.possible
    ? adopted?.shared === false && 'the module handed in takes no shared memory'
    : possible.reason
  const threads = alone ? 1 : wanted
  const fewer = asked !== undefined && asked > wanted ? `; ${wanted} threads at most, not ${asked}` : ''
  const single = alone && wanted > 1 ? `; one thread: ${alone}` : ''
  const start = (threads: number, reason: string) =>
    startWasm({ threads, reason, workers, plan, dtype, signal }, adopted, wasmTable)
  try {
    return await start(threads, why + fewer + single)
  } catch (error) {
    signal?.throwIfAborted()
    if (threads === 1) return { code: codeOf(error), message: messageOf(error) }
    try {
      return await start(1, `${why}; one thread: ${messageOf(error)}`)
    } catch (second) {
      const message = `with ${threads} threads: ${messageOf(error)}; with one: ${messageOf(second)}`
      return { code: codeOf(second), message }
    }
  }
}

function codeOf(error: unknown): 'OUT_OF_MEMORY' | 'DEVICE_UNAVAILABLE' {
  return error instanceof BareclipError && error.code === 'OUT_OF_MEMORY' ? 'OUT_OF_MEMORY' : 'DEVICE_UNAVAILABLE'
}

/** Throws if the device cannot be made or fails its self-test. */
async function startWasm(
  {
    dtype,
    ...options
  }: Pick<WasmOptions, 'threads' | 'reason' | 'workers' | 'plan' | 'signal'> & { readonly dtype: ModelDtype },
  adopted: WasmModule | undefined,
  table: WasmTable = wasmKernels,
): Promise<Device> {
  const module = adopted ?? (await compileModule(options.threads > 1))
  const variants = adopted ? { module: `${adopted.form}, handed in` } : {}
  const device = await createWasmDevice(table, { ...options, module, variants })
  try {
    const wrong = await selfTest(device, { ...smallShape, dtype })
    if (wrong === undefined) return device
    throw new BareclipError('DEVICE_UNAVAILABLE', `its self-test failed: ${wrong.message}`)
  } catch (error) {
    device.dispose()
    throw error
  }
}
