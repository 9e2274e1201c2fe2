import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { type SynthOptions, storedTensors, synthMetadata } from '../../apps/synth/model.ts'
import { writeSafetensors } from '../../loaders/safetensors/write.ts'

const golden = (path: string) => new URL(`../fixtures/golden/${path}`, import.meta.url)

describe('synthetic checkpoint at full size', () => {
  const cases: ReadonlyArray<readonly [SynthOptions, number, string, string]> = [
    [{ size: 'full' }, 890_633_332, 'cfe713220aa57644ca977ea606fc33206bc3107c9ff2512efb2cb818218cbf2f', 'full'],
    [
      { size: 'full', dtype: 'f16' },
      445_339_194,
      '0e7dfaa5f1152ae37315395d250431d6afad7c5e526bea95aeb594a97d26d938',
      '',
    ],
    [
      { size: 'full', outliers: true },
      890_633_332,
      'be9ca846fb28f03d662ba74820f54abd09f0692d972caf7bd8b7bd9b87fb94a2',
      'full-outliers',
    ],
  ]
  for (const [options, size, sha256, folder] of cases) {
    it(`${JSON.stringify(options)} is byte for byte the specified file`, async () => {
      const file = createHash('sha256')
      const tensors = new Map<string, string>()
      let total = 0
      const list = storedTensors(options).map(({ name, shape, dtype, pieces }) => ({
        name,
        shape,
        dtype,
        *bytes() {
          const hash = createHash('sha256')
          for (const piece of pieces()) {
            hash.update(piece)
            yield piece
          }
          tensors.set(name, hash.digest('hex'))
        },
      }))
      await writeSafetensors(
        list,
        (bytes) => {
          file.update(bytes)
          total += bytes.length
        },
        synthMetadata,
      )
      assert.equal(total, size)
      assert.equal(file.digest('hex'), sha256)
      if (folder === '') return
      const manifest = JSON.parse(readFileSync(golden(`${folder}/tensors.json`), 'utf8'))
      assert.equal(tensors.size, 395)
      for (const { name, sha256_f32_le } of manifest.tensors) assert.equal(tensors.get(name), sha256_f32_le, name)
    })
  }
})
