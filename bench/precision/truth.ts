import { dtypeOf, storedPrecision } from '../../clip/dtype.ts'
import { type ModelFiles, openModel } from '../../clip/files.ts'
import { preprocessingOf } from '../../clip/parts.ts'
import { planText } from '../../clip/sequences.ts'
import { streamWeights } from '../../clip/stream-weights.ts'
import { exactAlibiSlopes } from '../../kernels/attention/alibi.ts'
import { rotaryAngles } from '../../kernels/rotary/table.ts'
import { decodeImage, type Pixels, preprocess } from '../../loaders/image/image.ts'
import { openSafetensors } from '../../loaders/safetensors/safetensors.ts'
import { createTokenizer } from '../../loaders/tokenizer/tokenizer.ts'
import { configReader } from '../../models/config.ts'
import { readEva02Config } from '../../models/eva02.ts'
import { planModel } from '../../models/jina-clip.ts'
import { weightBuilder } from '../../models/weights.ts'
import { raggedBatch } from '../../runtime/batch.ts'
import type { Scope } from '../../runtime/device.ts'
import type { Tensor } from '../../runtime/tensor.ts'
import { createFloat64Device } from './float64.ts'

/** Embeddings to compare with: one per item, normalised, nothing rounded to float32 on the way. A call is one pass. */
export interface Float64Model {
  /** Of the vision tower's pictures; undefined where there is none. */
  readonly imageSize: number | undefined
  texts(texts: readonly string[], maxTokens?: number): Promise<Float64Array[]>
  images(images: readonly Pixels[]): Promise<Float64Array[]>
  dispose(): void
}

/** Weights as they are stored; codes are decoded first. Throws what `load` throws of a model's files. */
export async function loadFloat64(model: string | URL | ModelFiles, signal?: AbortSignal): Promise<Float64Model> {
  const files = await openModel(model, signal)
  const exact = new Map<string, Float64Array>()
  const device = createFloat64Device(exact)
  try {
    const plan = planModel(files.config)
    const tokenizer = createTokenizer(files.tokenizer)
    const preprocessing = preprocessingOf(plan, files.preprocessor)
    const checkpoint = await openSafetensors(files.weights, { ...(signal && { signal }) })
    const layout = { name: checkpoint.name, tensors: checkpoint.tensors, precision: storedPrecision(checkpoint) }
    const weights = weightBuilder(device, layout, dtypeOf('f32', layout))
    const built = plan.build(weights)
    exact.set('slopes', exactAlibiSlopes(built.text.heads))
    if (built.vision) {
      const { grid, headDim, stretch } = readEva02Config(
        configReader(files.config, 'config.json').object('vision_config'),
      )
      const angles = rotaryAngles(grid, headDim, stretch)
      exact.set('rotary cos', angles.map(Math.cos)).set('rotary sin', angles.map(Math.sin))
    }
    await streamWeights(checkpoint, weights.fills, signal, () => {})

    const run = async (count: number, record: (scope: Scope) => Tensor) => {
      const scope = device.scope()
      try {
        const pooled = scope.output(record(scope))
        await device.run(scope, { signal })
        const rows = device.values(pooled)
        const width = rows.length / count
        return Array.from({ length: count }, (_, i) => unit(rows.slice(i * width, i * width + built.dimensions)))
      } finally {
        scope.end()
      }
    }
    return {
      imageSize: built.vision?.imageSize,
      texts(texts, maxTokens = 8192) {
        const parts = texts.map((text) => {
          const plan = planText(text, tokenizer, built.text, { maxTokens, onLongText: 'truncate' })
          return plan.sequences[0]!
        })
        const ids = Int32Array.from(parts.flatMap(({ ids }) => [...ids]))
        const batch = raggedBatch(parts.map(({ positions }) => positions))
        return run(texts.length, (scope) => built.text.record(scope, ids, batch))
      },
      async images(images) {
        const pixels: number[] = []
        for (const image of images)
          for (const value of preprocess(await decodeImage(image), preprocessing)) pixels.push(value)
        return run(images.length, (scope) => built.vision!.record(scope, Float32Array.from(pixels), images.length))
      },
      dispose: () => device.dispose(),
    }
  } catch (error) {
    device.dispose()
    throw error
  } finally {
    await files.weights.close()
  }
}

/** row / ‖row‖₂ */
function unit(row: Float64Array): Float64Array {
  const norm = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0))
  return row.map((value) => value / norm)
}
