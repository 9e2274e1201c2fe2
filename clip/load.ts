import type { DecodeOptions } from '../loaders/image/image.ts'
import { openSafetensors, type Safetensors } from '../loaders/safetensors/safetensors.ts'
import { createTokenizer } from '../loaders/tokenizer/tokenizer.ts'
import { planModel } from '../models/jina-clip.ts'
import { weightBuilder } from '../models/weights.ts'
import { type ChosenDeviceOptions, chooseDevice, type DeviceOptions } from './choose-device.ts'
import { type Clip, type ClipInfo, createClip } from './clip.ts'
import { dtypeOf, storedPrecision } from './dtype.ts'
import type { Engine } from './engine.ts'
import { type ModelFiles, openModel } from './files.ts'
import { invalid, type Progress } from './options.ts'
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
  const { engine, ...info } = await loadEngine(model, options)
  return createClip(engine, info)
}

/** As `load`: what a Clip is made of. */
export async function loadEngine(
  model: string | URL | ModelFiles = defaultModel(),
  options: EngineOptions = {},
): Promise<Pick<ClipInfo, 'name'> & { readonly engine: Engine }> {
  const stage = stopwatch(options.onStage)
  const { signal, onProgress, maxPixels, decode, passTokens = 8192 } = options
  if (!Number.isInteger(passTokens) || passTokens < 1) throw invalid('passTokens', 'an integer from 1', passTokens)
  signal?.throwIfAborted()
  const files = await openModel(model, signal)
  let checkpoint: Safetensors | undefined
  try {
    const plan = planModel(files.config)
    const tokenizer = createTokenizer(files.tokenizer)
    const preprocessing = preprocessingOf(plan, files.preprocessor)
    const opened = await openSafetensors(files.weights, { ...(signal && { signal }) })
    checkpoint = opened
    const source = { name: opened.name, tensors: opened.tensors, precision: storedPrecision(opened) }
    const asked = dtypeOf(options.dtype, source)
    stage('configuration, tokenizer')
    const { device, dtype } = await chooseDevice({ ...options, dtype: asked }, (dtype) =>
      planMemory(plan, source, dtype, passTokens),
    )
    stage('device')
    try {
      const weights = weightBuilder(device, source, dtype)
      const built = plan.build(weights)
      stage('memory for weights')
      await streamWeights(checkpoint, weights.fills, signal, (done, total) =>
        onProgress?.({ stage: 'load', done, total, unit: 'bytes' }),
      )
      stage('weights')
      const engine: Engine = {
        device,
        model: built,
        tokenizer,
        preprocessing,
        decoding: { ...(maxPixels !== undefined && { maxPixels }), ...(decode && { decode }) },
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

/** → called at the end of each stage, reports the time since the call before */
function stopwatch(onStage: EngineOptions['onStage']): (stage: LoadStage) => void {
  let last = performance.now()
  return (stage) => {
    const now = performance.now()
    onStage?.(stage, now - last)
    last = now
  }
}
