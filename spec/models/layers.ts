import { type SynthOptions, synthConfig, synthTensors } from '../../apps/synth/checkpoint.ts'
import { preprocess, readPreprocessing } from '../../loaders/image/image.ts'
import { planModel } from '../../models/jina-clip.ts'
import { weightBuilder } from '../../models/weights.ts'
import type { Device } from '../../runtime/device.ts'
import { readGolden } from '../clip/golden-clip.ts'
import { assertClose } from '../close.ts'
import { runText, runVision } from './golden-model.ts'

/**
 * Compares what the layers of a generated model give for text 1 and image 0 with the stored summaries: 16 channels of the
 * first three tokens, then the mean and the mean absolute value of the whole tensor.
 */
export async function compareLayers(
  device: Device,
  folder: string,
  options: SynthOptions,
  tolerance: number,
): Promise<number> {
  const { outputs, crops } = readGolden(folder)
  const tensors = new Map(synthTensors(options).map((tensor) => [tensor.name, tensor]))
  const weights = weightBuilder(device, { name: folder, tensors }, 'f32')
  const model = planModel(synthConfig(options)).build(weights)
  for (const fill of weights.fills) await fill.write('f32', tensors.get(fill.name)!.values(), 0)

  const { values: ids } = outputs.get('ids/1')!
  const text = await runText(device, model, { dtype: 'i32', shape: [1, ids.length], values: ids }, true)
  const pixels = preprocess(crops[0]!, readPreprocessing({ size: 224 }))
  const vision = await runVision(device, model, { dtype: 'f32', shape: [1, 3, 224, 224], values: pixels }, true)
  let compared = 0
  for (const [name, values] of [...text.trace, ...vision.trace]) {
    const expected = outputs.get(`layers/${name}`)
    if (!expected) continue
    assertClose(summary(values, model.text.hidden), expected.values, tolerance, name)
    compared++
  }
  return compared
}

/** x: (tokens, hidden) → (3 · 16 + 2) */
function summary(x: Float32Array, hidden: number): Float64Array {
  const y = new Float64Array(50)
  for (let token = 0; token < 3; token++) y.set(x.subarray(token * hidden, token * hidden + 16), token * 16)
  for (const value of x) {
    y[48]! += value / x.length
    y[49]! += Math.abs(value) / x.length
  }
  return y
}
