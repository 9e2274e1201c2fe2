import { equal } from 'node:assert/strict'
import { devices } from '../devices.ts'
import { compareLayers } from './layers.ts'

for (const { name, create } of devices) {
  describe(`layer by layer on ${name}`, () => {
    for (const [folder, outliers, tolerance] of [
      ['tiny-e2e', false, 2e-5],
      ['tiny-e2e-outliers', true, 2e-4], // activations reach 64 there
    ] as const) {
      it(folder, async () => {
        const device = await create()
        try {
          // emb_ln and two norms a layer; embed, two sums a block and the last norm
          equal(await compareLayers(device, folder, { size: 'tiny-e2e', outliers }, tolerance), 1 + 4 + 1 + 4 + 1)
        } finally {
          device.dispose()
        }
      })
    }
  })
}
