import { equal, ok } from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { writeSynth } from '../../apps/synth/checkpoint.ts'
import { type Clip, load } from '../../index.ts'
import { readGolden } from '../clip/golden-clip.ts'
import { assertClose } from '../close.ts'
import { deviceNames, devices } from '../devices.ts'
import { compareLayers } from '../models/layers.ts'

// f32 against float64, largest component difference (DESIGN: 2e-6; FIXTURES: 1e-5 on the outliers weights)
const goldens = [
  { folder: 'full', outliers: false, tolerance: 2e-6 },
  { folder: 'full-outliers', outliers: true, tolerance: 1e-5 },
]

// Against the f32 goldens: least cosine of a text and of an image, largest component difference.
const precisions: Readonly<Record<string, readonly Accuracy[]>> = {
  full: [
    { dtype: 'f16', text: 0.9999, image: 0.9999, component: 1e-3 },
    { dtype: 'q12', text: 0.9999, image: 0.9999, component: 1.5e-3 },
    { dtype: 'q8', text: 0.9985, image: 0.9998, component: 2e-2 },
  ],
  'full-outliers': [
    { dtype: 'f16', text: 0.9999, image: 0.9999, component: 1e-3 },
    { dtype: 'q12', text: 0.9999, image: 0.9999, component: 2e-3 },
    { dtype: 'q8', text: 0.997, image: 0.997, component: 3e-2 },
  ],
}

interface Accuracy {
  readonly dtype: 'f16' | 'q12' | 'q8'
  readonly text: number
  readonly image: number
  readonly component: number
}

function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [ab, aa, bb] = [0, 0, 0]
  for (let i = 0; i < a.length; i++) {
    ab += a[i]! * b[i]!
    aa += a[i]! ** 2
    bb += b[i]! ** 2
  }
  return ab / Math.sqrt(aa * bb)
}

for (const { folder, outliers, tolerance } of goldens) {
  describe(`${folder}: the full-size model of 222,647,041 parameters`, () => {
    const { inputs, outputs, crops } = readGolden(folder)
    let checkpoint: string
    before(async () => {
      checkpoint = mkdtempSync(join(tmpdir(), 'bareclip-full-'))
      await writeSynth(checkpoint, { size: 'full', outliers })
    })
    after(() => rmSync(checkpoint, { recursive: true, force: true }))

    for (const device of deviceNames) {
      describe(device, () => {
        let clip: Clip
        before(async () => {
          clip = await load(checkpoint, { device })
        })
        after(() => clip.dispose())

        const texts = outputs.get('text.embedding')!.values
        for (const [i, { label, text, max_length: maxTokens, tokens }] of inputs.texts.entries()) {
          it(label, async () => {
            const result = await clip.encodeText(text, { maxTokens })
            equal(result.usage[0]!.tokens, tokens)
            assertClose(result.row(0), texts.subarray(i * 768, (i + 1) * 768), tolerance, label)
          })
        }

        const images = outputs.get('vision.embedding')!.values
        for (const [i, name] of inputs.images.entries()) {
          it(name, async () => {
            const result = await clip.encodeImage(crops[i]!)
            assertClose(result.row(0), images.subarray(i * 768, (i + 1) * 768), tolerance, name)
          })
        }
      })
    }

    for (const device of deviceNames) {
      for (const { dtype, text: leastText, image: leastImage, component } of precisions[folder]!) {
        describe(`${dtype} on ${device}`, () => {
          let clip: Clip
          before(async () => {
            clip = await load(checkpoint, { device, dtype })
          })
          after(() => clip.dispose())

          const check = (label: string, actual: Float32Array, expected: ArrayLike<number>, least: number) => {
            const found = cosine(actual, expected)
            ok(found >= least, `${label}: cosine ${found}, at least ${least}`)
            assertClose(actual, expected, component, label)
          }

          it('texts', async () => {
            for (const [i, { label, text, max_length: maxTokens, tokens }] of inputs.texts.entries()) {
              if (tokens > 600) continue // the longer one adds minutes, nothing else
              const { data } = await clip.encodeText(text, { maxTokens })
              const expected = outputs.get('text.embedding')!.values.subarray(i * 768, (i + 1) * 768)
              check(label, data, expected, leastText)
            }
          })

          it('images', async () => {
            for (const [i, name] of inputs.images.entries()) {
              const { data } = await clip.encodeImage(crops[i]!)
              const expected = outputs.get('vision.embedding')!.values.subarray(i * 768, (i + 1) * 768)
              check(name, data, expected, leastImage)
            }
          })
        })
      }
    }

    for (const { name, create } of devices) {
      it(`layer by layer on ${name}`, async () => {
        const device = await create()
        try {
          equal(
            await compareLayers(device, folder, { size: 'full', outliers }, outliers ? 2e-3 : 2e-4),
            1 + 24 + 1 + 24 + 1,
          )
        } finally {
          device.dispose()
        }
      })
    }
  })
}
