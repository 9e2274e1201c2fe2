import { equal } from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { writeSynth } from '../../apps/synth/checkpoint.ts'
import { type Clip, load } from '../../index.ts'
import { readGolden } from '../clip/golden-clip.ts'
import { assertClose } from '../close.ts'
import { deviceNames, devices, loadingOn } from '../devices.ts'
import { compareLayers } from '../models/layers.ts'

// f32 against float64, largest component difference (DESIGN: 2e-6; FIXTURES: 1e-5 on the outliers weights)
const goldens = [
  { folder: 'full', outliers: false, tolerance: 2e-6 },
  { folder: 'full-outliers', outliers: true, tolerance: 1e-5 },
]

/** A software adapter takes hours. */
const names = deviceNames.filter((name) => name !== 'webgpu' || process.env.BARECLIP_DEVICES)

for (const { folder, outliers, tolerance: exact } of goldens) {
  describe(`${folder}: the full-size model of 222,647,041 parameters`, () => {
    const { inputs, outputs, crops } = readGolden(folder)
    let checkpoint: string
    before(async () => {
      checkpoint = mkdtempSync(join(tmpdir(), 'bareclip-full-'))
      await writeSynth(checkpoint, { size: 'full', outliers })
    })
    after(() => rmSync(checkpoint, { recursive: true, force: true }))

    for (const device of names) {
      describe(device, () => {
        const tolerance = device === 'webgpu' ? 1e-5 : exact
        let clip: Clip
        before(async () => {
          clip = await load(checkpoint, loadingOn(device))
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

    for (const { name, create } of devices.filter(({ device }) => names.includes(device))) {
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
