import { deepEqual } from 'node:assert/strict'
import { assertClose } from '../close.ts'
import { deviceNames, loadingOn } from '../devices.ts'
import { loadSynth, readGolden } from './golden-clip.ts'

// f32 against float64, largest component difference (FIXTURES)
const goldens = [
  { folder: 'tiny-e2e', outliers: false, tolerance: 1e-6 },
  { folder: 'tiny-e2e-outliers', outliers: true, tolerance: 1e-5 },
]

// What rounding the weights does to components of 96, which average 0.08: about three times what is found here.
const precisions = [
  { dtype: 'f16', plain: 5e-4, outliers: 5e-4 },
  { dtype: 'q12', plain: 5e-4, outliers: 2e-3 },
  { dtype: 'q8', plain: 8e-3, outliers: 4.5e-2 },
] as const

for (const device of deviceNames) {
  for (const { dtype, ...tolerances } of precisions) {
    // The reference device takes its time, and rounds weights as the others do.
    for (const { folder, outliers } of device === 'reference' ? goldens.slice(0, 1) : goldens) {
      it(`${folder} on ${device} in ${dtype}: texts and images`, async () => {
        const { inputs, outputs, crops } = readGolden(folder)
        const { values, shape } = outputs.get('text.embedding')!
        const dimensions = shape[1]!
        const tolerance = outliers ? tolerances.outliers : tolerances.plain
        using clip = await loadSynth({ size: 'tiny-e2e', outliers }, { ...loadingOn(device), dtype })
        for (const [i, { text, max_length: maxTokens, label }] of inputs.texts.entries()) {
          const { data } = await clip.encodeText(text, { maxTokens })
          assertClose(data, values.subarray(i * dimensions, (i + 1) * dimensions), tolerance, label)
        }
        const images = await clip.encodeImage(crops)
        assertClose(images.data, outputs.get('vision.embedding')!.values, tolerance, 'images')
      })
    }
  }

  for (const { folder, outliers, tolerance: exact } of goldens) {
    const tolerance = device === 'webgpu' ? Math.max(2e-6, exact) : exact // WGSL's exp and division round less exactly
    describe(`${folder} on ${device}: text and pixels in, embeddings out`, () => {
      const { inputs, outputs, crops } = readGolden(folder)
      const expected = outputs.get('text.embedding')!
      const dimensions = expected.shape[1]!

      it('texts, each with its own limit of tokens', async () => {
        using clip = await loadSynth({ size: 'tiny-e2e', outliers }, loadingOn(device))
        for (const [i, { text, max_length: maxTokens, tokens, label }] of inputs.texts.entries()) {
          const ids = clip.tokenizer.encode(text, { maxTokens }).ids
          deepEqual(Array.from(ids), Array.from(outputs.get(`ids/${i}`)!.values), label)
          const result = await clip.encodeText(text, { maxTokens })
          assertClose(result.row(0), expected.values.subarray(i * dimensions, (i + 1) * dimensions), tolerance, label)
          deepEqual(result.usage[0]!.tokens, tokens)
        }
      })

      it('images, in one call', async () => {
        using clip = await loadSynth({ size: 'tiny-e2e', outliers }, loadingOn(device))
        const result = await clip.encodeImage(crops)
        assertClose(result.data, outputs.get('vision.embedding')!.values, tolerance, 'embedding')
        const pooled = await clip.encodeImage(crops, { normalize: false })
        const scale = Math.max(1, ...Array.from(outputs.get('vision.pooled')!.values, Math.abs))
        assertClose(pooled.data, outputs.get('vision.pooled')!.values, 20 * scale * tolerance, 'pooled')
      })

      it('logits: exp(logit_scale) · cosine, as classify has them', async () => {
        using clip = await loadSynth({ size: 'tiny-e2e', outliers }, loadingOn(device))
        const labels = inputs.texts.slice(0, 2).map(({ text }) => text)
        const result = await clip.classify(crops, labels, { template: '{}' })
        const cosines = outputs.get('cosine_text_image')!
        for (const [image, scores] of result.entries()) {
          for (const { label, cosine } of scores) {
            const expectedCosine = cosines.values[labels.indexOf(label) * crops.length + image]!
            assertClose([cosine], [expectedCosine], 10 * tolerance, `${label} ${image}`)
          }
          const logits = labels.map((_, l) => outputs.get('logits_per_text')!.values[l * crops.length + image]!)
          const expectedProbability = 1 / (1 + Math.exp(logits[1]! - logits[0]!))
          const found = scores.find(({ label }) => label === labels[0])!.probability
          assertClose([found], [expectedProbability], 1e-3, `probability ${image}`)
        }
      })
    })
  }
}
