import type { DecodeOptions } from '../loaders/image/image.ts'
import { openSafetensors, type Safetensors } from '../loaders/safetensors/safetensors.ts'
import { createTokenizer } from '../loaders/tokenizer/tokenizer.ts'
import { type ModelPlan, planModel } from '../models/jina-clip.ts'
import type { Model } from '../models/tower.ts'
import { type Checkpoint, weightBuilder } from '../models/weights.ts'
import type { Device } from '../runtime/device.ts'
import { BareclipError } from '../runtime/errors.ts'
import { type ChosenDevice, type ChosenDeviceOptions, chooseDevice, type DeviceOptions } from './choose-device.ts'
import { type Clip, type ClipInfo, createClip } from './clip.ts'
import { dtypeOf, type ModelDtype, storedPrecision } from './dtype.ts'
import type { Engine } from './engine.ts'
import { type ModelFiles, type OpenModel, openModel } from './files.ts'
import { createLiveModel, type Rebuild } from './live-model.ts'
import { checkNames, invalid, type Progress } from './options.ts'
import { preprocessingOf } from './parts.ts'
import { planMemory } from './plan-memory.ts'
import { createQueue } from './queue.ts'
import { streamWeights } from './stream-weights.ts'

export interface LoadOptions extends DeviceOptions {
  /** Largest picture that is decoded, in pixels. Default: 24 megapixels for JPEG decoded in JavaScript, else 100. */
  readonly maxPixels?: number | undefined
  /** Decodes pictures in formats that are not decoded here (WebP, GIF, …). */
  readonly decode?: DecodeOptions['decode'] | undefined
  /** Most tokens of one forward pass: bounds scratch memory. Default: 8192. */
  readonly passTokens?: number | undefined
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((progress: Progress) => void) | undefined
}

const loadOptionNames = [
  ...(['device', 'dtype', 'threads', 'workers', 'wasmModule', 'gpu', 'gpuDevice'] as const),
  ...(['maxPixels', 'decode', 'passTokens', 'signal', 'onProgress'] as const),
] satisfies (keyof LoadOptions)[]

/** What loading spends its time on, in this order. */
export type LoadStage = 'configuration, tokenizer' | 'device' | 'memory for weights' | 'weights'

/** For measuring. */
export interface EngineOptions extends LoadOptions, ChosenDeviceOptions {
  /** Called as each stage ends, with its time in milliseconds. */
  readonly onStage?: ((stage: LoadStage, ms: number) => void) | undefined
}

/** The small model that ships with the package: drawings of coloured shapes and their descriptions, nothing else. */
export const defaultModel = (): URL => new URL('../shapes/', import.meta.url)

/**
 * Loads a model: a folder's path or URL, single files, or nothing for the small demonstration model. Weights are read
 * tensor by tensor straight into their place. Throws MODEL_NOT_FOUND, INVALID_CONFIG, UNSUPPORTED_MODEL, INVALID_TOKENIZER,
 * UNSUPPORTED_TOKENIZER, INVALID_SAFETENSORS, MISSING_TENSOR, TENSOR_SHAPE, NOT_FINITE, READ_FAILED, OUT_OF_MEMORY,
 * DEVICE_UNAVAILABLE, INVALID_ARGUMENT.
 */
export async function load(
  model: string | URL | ModelFiles = defaultModel(),
  options: LoadOptions = {},
): Promise<Clip> {
  checkNames(options, loadOptionNames)
  const { engine, ...info } = await loadEngine(model, options)
  return createClip(engine, info)
}

/** As `load`: what a Clip is made of. */
export async function loadEngine(
  model: string | URL | ModelFiles = defaultModel(),
  options: EngineOptions = {},
): Promise<Pick<ClipInfo, 'name'> & { readonly engine: Engine }> {
  const stage = stopwatch(options.onStage)
  const { signal, maxPixels, decode, passTokens = 8192 } = options
  if (!Number.isInteger(passTokens) || passTokens < 1) throw invalid('passTokens', 'an integer from 1', passTokens)
  signal?.throwIfAborted()
  const files = await openModel(model, signal)
  let checkpoint: Safetensors | undefined
  try {
    const plan = planModel(files.config)
    const tokenizer = createTokenizer(files.tokenizer)
    const preprocessing = preprocessingOf(plan, files.preprocessor)
    const opened = await openSafetensors(files.weights, { signal })
    checkpoint = opened
    const asked = dtypeOf(options.dtype, layoutOf(opened))
    stage('configuration, tokenizer')
    const { chosen, model } = await placeOnDevice(plan, opened, { ...options, dtype: asked }, passTokens, stage)
    const { device, dtype, startup } = chosen
    try {
      const live = createLiveModel({ device, model }, rebuilder(chosen, plan, files, checkpoint))
      const engine: Engine = {
        get device() {
          return live.device
        },
        get model() {
          return live.model
        },
        recover: live.recover,
        dispose: live.dispose,
        startup,
        tokenizer,
        preprocessing,
        decoding: { maxPixels, decode },
        queue: createQueue(),
        passTokens,
        dtype,
      }
      return { engine, name: String(files.name) }
    } catch (error) {
      device.dispose()
      throw error
    }
  } finally {
    await (checkpoint ?? files.weights).close()
  }
}

/** What the header says. Throws UNSUPPORTED_MODEL. */
function layoutOf(file: Safetensors): Checkpoint {
  return { name: file.name, tensors: file.tensors, precision: storedPrecision(file) }
}

/** The model on the device of the options. With 'auto' a graphics device that its weights do not fit on is passed over. */
async function placeOnDevice(
  plan: ModelPlan,
  checkpoint: Safetensors,
  options: EngineOptions,
  passTokens: number,
  stage: (stage: LoadStage) => void,
): Promise<{ chosen: ChosenDevice; model: Model }> {
  const { signal, onProgress } = options
  let most = 0
  const report = (done: number, total: number) => {
    most = Math.max(most, done)
    onProgress?.({ stage: 'load', done: most, total, unit: 'bytes' })
  }
  let noWebgpu: string | undefined
  for (;;) {
    const chosen = await chooseDevice(options, {
      memory: (dtype) => planMemory(plan, layoutOf(checkpoint), dtype, passTokens),
      noWebgpu,
      signal,
      onProgress,
    })
    const { device, dtype } = chosen
    stage('device')
    try {
      const model = await placeModel(plan, device, dtype, checkpoint, signal, report, () => stage('memory for weights'))
      stage('weights')
      return { chosen, model }
    } catch (error) {
      const passedOver = device.info.device === 'webgpu' && (options.device ?? 'auto') === 'auto'
      device.dispose()
      if (!passedOver || !(error instanceof BareclipError)) throw error
      if (error.code !== 'OUT_OF_MEMORY' && error.code !== 'DEVICE_LOST') throw error
      noWebgpu = error.message
    }
  }
}

/** The model with its weights on the device. */
async function placeModel(
  plan: ModelPlan,
  device: Device,
  dtype: ModelDtype,
  checkpoint: Safetensors,
  signal: AbortSignal | undefined,
  onProgress: (done: number, total: number) => void = () => {},
  onMemory: () => void = () => {},
): Promise<Model> {
  const weights = weightBuilder(device, layoutOf(checkpoint), dtype)
  const model = plan.build(weights)
  onMemory()
  await streamWeights(checkpoint, weights.fills, signal, onProgress)
  return model
}

/** → how the model is put on another device after a loss, or why it cannot be. */
function rebuilder(
  { restart, dtype }: ChosenDevice,
  plan: ModelPlan,
  { reopen }: Pick<OpenModel, 'reopen'>,
  first: Safetensors,
): Rebuild | string {
  if (!restart) return 'the device was handed in (gpuDevice); give gpu instead'
  if (!reopen) return 'its weights came from memory; give a path, a URL or a Blob instead'
  const tensors = JSON.stringify([...first.tensors])
  return async (signal) => {
    const source = await reopen(signal)
    let checkpoint: Safetensors | undefined
    let device: Device | undefined
    try {
      checkpoint = await openSafetensors(source, { signal })
      if (JSON.stringify([...checkpoint.tensors]) !== tensors) {
        throw new BareclipError('READ_FAILED', `${source.name} holds other tensors than when the model was loaded`)
      }
      device = await restart(signal)
      return { device, model: await placeModel(plan, device, dtype, checkpoint, signal) }
    } catch (error) {
      device?.dispose()
      throw error
    } finally {
      await (checkpoint ?? source).close()
    }
  }
}

/** → called at the end of each stage, reports the time since the call before */
function stopwatch(onStage: EngineOptions['onStage']): (stage: LoadStage) => void {
  let last = performance.now()
  return (stage) => {
    const now = performance.now()
    onStage?.(stage, now - last)
    last = now
  }
}
