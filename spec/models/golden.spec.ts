import { deepEqual, ok } from 'node:assert/strict'
import type { RaggedBatch } from '../../runtime/batch.ts'
import type { Device } from '../../runtime/device.ts'
import { assertClose } from '../close.ts'
import { present } from '../devices.ts'
import type { Fixture } from '../safetensors-fixture.ts'
import { goldenFixture, goldenModel, runText, runVision } from './golden-model.ts'

// Tolerances of an f32 run against the float64 values: FIXTURES gives 1e-6 for embeddings, 2e-5 inside.
const embeddingTolerance = 1e-6
const traceTolerance = 2e-5

const checkpoints = [
  { folder: 'tiny-a', weights: 'model.safetensors', outputs: 'outputs.safetensors' },
  { folder: 'tiny-a', weights: 'model.f16.safetensors', outputs: 'outputs.f16.safetensors' },
  { folder: 'tiny-a', weights: 'model.bf16.safetensors', outputs: 'outputs.bf16.safetensors' },
  { folder: 'tiny-b', weights: 'model.safetensors', outputs: 'outputs.safetensors' },
  { folder: 'tiny-jinabert', weights: 'model.safetensors', outputs: 'outputs.safetensors' },
]

// On every adapter that there is: the tiny models are the least that each of them has to get right.
for (const { name, create } of present) {
  describe(`golden values on ${name}`, () => {
    // One for all: a software adapter takes seconds to compile each pipeline.
    let device: Device
    before(async () => {
      device = await create()
    })
    after(() => device?.dispose())

    for (const { folder, weights, outputs } of checkpoints) {
      it(`${folder}/${weights}`, async () => {
        const expected = goldenFixture(`${folder}/${outputs}`)
        const inputs = goldenFixture(`${folder}/outputs.safetensors`)
        const model = await goldenModel(device, folder, weights)
        let compared = 0
        for (const kind of ['text', 'holes', 'long']) {
          const embedding = expected.get(`${kind}.embedding`)
          if (!embedding) continue
          const result = await runText(device, model, inputs.get(`${kind}.input_ids`)!)
          assertClose(result.embedding, embedding.values, embeddingTolerance, `${kind}.embedding`)
          assertClose(result.pooled, expected.get(`${kind}.pooled`)!.values, traceTolerance, `${kind}.pooled`)
          const truncated = expected.get(`${kind}.truncated_32`)
          if (truncated) assertClose(result.truncated, truncated.values, embeddingTolerance, `${kind}.truncated_32`)
          compared++
        }
        if (expected.has('vision.embedding')) {
          const result = await runVision(device, model, inputs.get('pixel_values')!)
          assertClose(result.embedding, expected.get('vision.embedding')!.values, embeddingTolerance, 'vision')
          assertClose(result.pooled, expected.get('vision.pooled')!.values, traceTolerance, 'vision.pooled')
          const truncated = expected.get('vision.truncated_32')
          if (truncated) assertClose(result.truncated, truncated.values, embeddingTolerance, 'vision.truncated_32')
          compared++
        }
        ok(compared > 0)
      })
    }

    it('keeps weights in f16 when asked: the same as a checkpoint of rounded weights', async () => {
      const expected = goldenFixture('tiny-a/outputs.f16.safetensors')
      const inputs = goldenFixture('tiny-a/outputs.safetensors')
      // The vectors of the f16 checkpoint are rounded as well, so both sides start from it.
      const model = await goldenModel(device, 'tiny-a', 'model.f16.safetensors', 'f16')
      const text = await runText(device, model, inputs.get('text.input_ids')!)
      const vision = await runVision(device, model, inputs.get('pixel_values')!)
      assertClose(text.embedding, expected.get('text.embedding')!.values, embeddingTolerance, 'text')
      assertClose(vision.embedding, expected.get('vision.embedding')!.values, embeddingTolerance, 'vision')
    })

    for (const folder of ['tiny-a', 'tiny-b']) {
      it(`${folder}: every traced tensor of the text tower`, async () => {
        const expected = goldenFixture(`${folder}/trace-text.safetensors`)
        const model = await goldenModel(device, folder, 'model.safetensors')
        const { trace, batch } = await runText(device, model, expected.get('text.input_ids')!, true)
        for (const [name, values] of trace) {
          assertClose(values, packed(expected.get(name)!, batch!), traceTolerance, name)
        }
        deepEqual([...trace.keys()].length, 1 + 4 * model.text.layers)
      })

      it(`${folder}: every traced tensor of the vision tower`, async () => {
        const expected = goldenFixture(`${folder}/trace-vision.safetensors`)
        const model = await goldenModel(device, folder, 'model.safetensors')
        const { trace } = await runVision(device, model, expected.get('pixel_values')!, true)
        const { heads, layers } = model.vision!
        for (const [name, values] of trace) {
          const target = name.endsWith('.qkv_rope')
            ? fused(expected, name.replace('.qkv_rope', ''), heads)
            : expected.get(name)!.values
          assertClose(values, target, traceTolerance, name)
        }
        deepEqual([...trace.keys()].length, 2 + 4 * layers)
      })

      it(`${folder}: leaving out rows that are not used changes no bit`, async () => {
        const pixels = goldenFixture(`${folder}/outputs.safetensors`).get('pixel_values')!
        const model = await goldenModel(device, folder, 'model.safetensors')
        const lean = await runVision(device, model, pixels)
        const whole = await runVision(device, model, pixels, true)
        deepEqual(lean.pooled, whole.pooled)
      })
    }
  })
}

/** (texts, length, …) → the rows of the ragged batch, end to end */
function packed({ shape, values }: Fixture, batch: RaggedBatch): Float32Array {
  const [texts = 0, length = 0] = shape
  const width = values.length / (texts * length)
  const rows: number[] = []
  for (let b = 0; b < texts; b++) {
    for (let t = batch.offsets[b]!; t < batch.offsets[b + 1]!; t++) {
      const at = (b * length + batch.positions[t]!) * width
      rows.push(...values.subarray(at, at + width))
    }
  }
  return Float32Array.from(rows)
}

/** q_rope, k_rope, v: (images, heads, tokens, dim) each → (images · tokens, 3 · heads · dim) */
function fused(expected: ReadonlyMap<string, Fixture>, block: string, heads: number): Float32Array {
  const parts = ['q_rope', 'k_rope', 'v'].map((part) => expected.get(`${block}.${part}`)!)
  const [images = 0, , tokens = 0, dim = 0] = parts[0]!.shape
  const y = new Float32Array(images * tokens * 3 * heads * dim)
  parts.forEach(({ values }, part) => {
    for (let image = 0; image < images; image++) {
      for (let head = 0; head < heads; head++) {
        for (let token = 0; token < tokens; token++) {
          const from = ((image * heads + head) * tokens + token) * dim
          const to = ((image * tokens + token) * 3 + part) * heads * dim + head * dim
          y.set(values.subarray(from, from + dim), to)
        }
      }
    }
  })
  return y
}
