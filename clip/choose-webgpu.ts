import { webgpuKernels } from '../kernels/webgpu.ts'
import { finer } from '../models/weight-fills.ts'
import type { Gpu, GpuDevice } from '../platform/globals.ts'
import type { Device, Scope } from '../runtime/device.ts'
import { BareclipError, describe, messageOf } from '../runtime/errors.ts'
import { createWebgpuDevice } from '../runtime/webgpu/device.ts'
import type { WebgpuTable } from '../runtime/webgpu/kernel.ts'
import { type OpenedDevice, openDevice, type WebgpuSource } from '../runtime/webgpu/open.ts'
import type { ModelDtype } from './dtype.ts'
import { invalid, type Progress } from './options.ts'
import type { ModelMemory } from './plan-memory.ts'
import { type SelfTestShape, selfTest, selfTestRecording, smallShape, type WrongKernel } from './self-test.ts'
import { type LimitedVariants, limitVariants } from './variant-limits.ts'

export interface WebgpuDeviceOptions {
  /** Where WebGPU comes from, or a function that gets it, called again after a device is lost. Default: navigator.gpu. */
  readonly gpu?: Gpu | (() => Gpu | Promise<Gpu>) | undefined
  /** Computes on this device, which stays yours: it is never destroyed here, and not replaced when it is lost. */
  readonly gpuDevice?: GpuDevice | undefined
  /** What the webgpu device runs; to measure one kernel against another. Default: kernels/webgpu.ts. */
  readonly webgpuTable?: WebgpuTable | undefined
}

export interface WebgpuStart extends WebgpuDeviceOptions {
  readonly reason: string
  /** A driver that computes on the processor is no use. */
  readonly realOnly: boolean
  readonly dtype: ModelDtype
  readonly memory: ModelMemory | undefined
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((progress: Progress) => void) | undefined
}

/** Of the self-test: WGSL promises `exp` to 3 + 2|x| units in the last place and division to 2.5. */
const tolerances: Readonly<Record<ModelDtype, number>> = { f32: 3e-5, f16: 5e-3, q12: 5e-3, q8: 5e-3 }

/** Wider ones would take the self-test long: of them only attention is tested. */
const widestHead = 128

/** Sizes of the self-test, as many of them as it takes to run each variant that the model would. */
const testSizes = [
  { tokens: 10, grid: 2 },
  { tokens: 21, grid: 5 },
  { tokens: 45, grid: 8 },
  { tokens: 90, grid: 10 },
  { tokens: 180, grid: 14 },
].flatMap((size) => [20, 21].map((inner) => ({ ...size, inner })))

/** So long that `attention` looks for keys to leave out (kernels/attention/webgpu.ts). */
const attentionTokens = 150

/** `linear` takes larger tiles where many of them come together (kernels/linear/variants.ts); few columns are enough to see them. */
const linearSizes = [
  { tokens: 48, inner: 1280 },
  { tokens: 48, inner: 2560 },
  { tokens: 24, inner: 5120 },
  { tokens: 24, inner: 10240 },
]
  .map((size) => ({ ...size, heads: 1 }))
  .concat({ tokens: 90, inner: 40, heads: 5 }) // the larger ones of a processor
  .flatMap((size) => [8, 7].map((headDim) => ({ ...smallShape, ...size, headDim, linearOnly: true })))

/** So does `patch-embed`. */
const patchSizes = [
  { grid: 8, heads: 10 },
  { grid: 4, heads: 640 },
  { grid: 6, heads: 640 },
  { grid: 4, heads: 1280 },
  { grid: 4, heads: 2560 },
].map((size) => ({ ...smallShape, ...size, patchesOnly: true }))

/** Throws INVALID_ARGUMENT. */
export function checkWebgpuOptions({ gpu, gpuDevice }: WebgpuDeviceOptions): void {
  if (gpu !== undefined && typeof gpu !== 'function' && typeof gpu?.requestAdapter !== 'function') {
    throw invalid('gpu', 'a GPU, such as navigator.gpu, or a function that returns one', gpu)
  }
  if (gpuDevice !== undefined && typeof gpuDevice?.createComputePipelineAsync !== 'function') {
    throw invalid('gpuDevice', 'a GPUDevice', gpuDevice)
  }
  if (gpu !== undefined && gpuDevice !== undefined) {
    throw new BareclipError('INVALID_ARGUMENT', 'gpu and gpuDevice: give one of them')
  }
}

export interface StartedWebgpu {
  readonly device: Device
  readonly startup: Startup
}

/** What starting took, in milliseconds. */
export interface Startup {
  readonly compileMs: number
  readonly selfTestMs: number
  /** Kernels that the model would run, and that the self-test ran as well. */
  readonly checked: ReadonlySet<string>
}

/** A device that passed its self-test. Throws DEVICE_UNAVAILABLE, DEVICE_LOST, OUT_OF_MEMORY, and the signal's reason. */
export async function startWebgpu(start: WebgpuStart): Promise<StartedWebgpu> {
  const { realOnly, signal, webgpuTable = webgpuKernels } = start
  const opened = await openDevice(await sourceOf(start))
  if (realOnly && opened.traits.software) {
    release(opened)
    throw new BareclipError('DEVICE_UNAVAILABLE', `${opened.adapter} computes on the processor`)
  }
  const notes = [start.reason]
  const variants = limitVariants(webgpuTable)
  let device: Device | undefined
  try {
    device = await createWebgpuDevice(variants.table, {
      source: opened,
      get reason() {
        return notes.join('; ')
      },
    })
    const startup = await tested(device, start, variants, notes)
    signal?.throwIfAborted()
    return { device, startup }
  } catch (error) {
    if (device) device.dispose()
    else release(opened)
    throw error
  }
}

async function sourceOf({ gpu, gpuDevice }: WebgpuDeviceOptions): Promise<WebgpuSource> {
  if (gpuDevice) return { device: gpuDevice }
  let found: unknown = gpu ?? (globalThis as { navigator?: { gpu?: GPU } }).navigator?.gpu
  if (typeof found === 'function') {
    try {
      found = await found()
    } catch (cause) {
      if (cause instanceof BareclipError) throw cause
      throw new BareclipError('DEVICE_UNAVAILABLE', `the function given as gpu failed: ${messageOf(cause)}`, { cause })
    }
  } else if (!found) {
    throw new BareclipError('DEVICE_UNAVAILABLE', 'there is no navigator.gpu here, and no gpu was given')
  }
  if (typeof (found as GPU | undefined)?.requestAdapter !== 'function') {
    throw new BareclipError(
      'DEVICE_UNAVAILABLE',
      `expected a GPU from the function given as gpu, found ${describe(found)}`,
    )
  }
  return { gpu: found as GPU }
}

function release({ owned, device }: OpenedDevice): void {
  if (owned) device.destroy()
}

/**
 * Compiles what the model and the self-test need and runs the self-test. Where a kernel is wrong or does not compile, a WGSL
 * extension is withheld from it, `notes` say so, and all is tested again. Throws DEVICE_UNAVAILABLE when none is left.
 */
async function tested(
  device: Device,
  start: WebgpuStart,
  variants: LimitedVariants,
  notes: string[],
): Promise<Startup> {
  for (;;) {
    const outcome = await attempt(device, start)
    if (!('message' in outcome)) return outcome
    const { operation, message, cause } = outcome
    const withheld = variants.withhold(operation)
    if (withheld === undefined) {
      throw new BareclipError('DEVICE_UNAVAILABLE', `its self-test failed: ${message}`, { cause })
    }
    notes.push(`${operation ?? 'all operations'} without ${withheld}: ${message}`)
  }
}

type Failure = Pick<WrongKernel, 'message'> & Partial<WrongKernel> & { readonly cause?: unknown }

async function attempt(device: Device, { dtype, memory, signal, onProgress }: WebgpuStart): Promise<Startup | Failure> {
  const passes = memory?.passes() ?? []
  const { shapes, checked } = testShapes(device, passes, dtype, memory?.headDims ?? [])
  const begin = performance.now()
  const recordings = [...passes, ...shapes.map(selfTestRecording)]
  try {
    await device.compile?.(recordings, {
      onProgress(done, total) {
        if (!signal?.aborted) onProgress?.({ stage: 'compile', done, total, unit: 'kernels' })
      },
    })
  } catch (cause) {
    if (!(cause instanceof BareclipError) || cause.code !== 'DEVICE_UNAVAILABLE') throw cause
    const operation = operationOf(device, recordings, cause.message)
    return { message: cause.message, cause, ...(operation !== undefined && { operation }) }
  }
  signal?.throwIfAborted()
  const compiled = performance.now()
  for (const shape of shapes) {
    const wrong = await selfTest(device, shape, tolerances[shape.dtype])
    if (wrong) return wrong
    signal?.throwIfAborted()
  }
  return { compileMs: compiled - begin, selfTestMs: performance.now() - compiled, checked }
}

/** Whose kernel the message names. */
function operationOf(device: Device, recordings: readonly Scope[], message: string): string | undefined {
  for (const recording of recordings) {
    for (const [{ operation }, plans] of device.kernelsOf!(recording)) {
      if (plans.some(({ kernel }) => message.startsWith(`the shader ${kernel} does not compile`))) return operation.name
    }
  }
  return undefined
}

/** As few as it takes to run each kernel of the passes, so far as these shapes reach it. */
function testShapes(device: Device, passes: readonly Scope[], dtype: ModelDtype, headDims: readonly number[]) {
  const kernelsOf = (recordings: readonly Scope[]) =>
    recordings.flatMap((scope) => [...device.kernelsOf!(scope).values()].flat().map(({ kernel }) => kernel))
  const wanted = new Set(kernelsOf(passes))
  const checked = new Set<string>()
  const shapes: SelfTestShape[] = []
  const usable = headDims.filter((headDim) => headDim % 4 === 0 && headDim <= widestHead)
  const attentionAlone = (headDim: number) => ({ ...smallShape, headDim, tokens: attentionTokens, attentionOnly: true })
  for (const headDim of usable.length > 0 ? usable : [smallShape.headDim]) {
    const long = { ...attentionAlone(headDim), heads: 1, dtype }
    shapes.push(long)
    for (const kernel of kernelsOf([selfTestRecording(long)])) checked.add(kernel)
    for (const size of testSizes) {
      const heads = size === testSizes[0] || headDim < 16 ? smallShape.heads : 1 // for the reference's sake
      const shape = { ...size, headDim, heads, dtype }
      const fresh = kernelsOf([selfTestRecording(shape)]).filter((kernel) => !checked.has(kernel))
      if (size !== testSizes[0] && !fresh.some((kernel) => wanted.has(kernel))) continue
      shapes.push(shape)
      for (const kernel of fresh) checked.add(kernel)
    }
  }
  const others = headDims.filter((headDim) => !usable.includes(headDim)).map(attentionAlone)
  const alone = [...testSizes.map((size) => ({ ...smallShape, ...size, linearOnly: true })), ...linearSizes]
  const own = [...others, ...linearSizes, ...patchSizes].map((size) => ({ ...size, dtype }))
  const fine = dtype === 'q8' ? alone.map((size) => ({ ...size, dtype: finer(dtype, true) })) : []
  for (const shape of [...own, ...fine]) {
    const fresh = kernelsOf([selfTestRecording(shape)]).filter((kernel) => !checked.has(kernel))
    if (!fresh.some((kernel) => wanted.has(kernel))) continue
    shapes.push(shape)
    for (const kernel of fresh) checked.add(kernel)
  }
  return { shapes, checked }
}
