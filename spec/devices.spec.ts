import { equal } from 'node:assert/strict'
import process from 'node:process'
import { asked, candidates } from './devices.ts'

describe('devices under test', () => {
  for (const { name, device: kind, missing, create } of candidates.filter(({ device }) => asked(device))) {
    it(missing === undefined ? name : `${name}: ${missing}`, async function () {
      if (missing !== undefined && process.env.CI !== 'true') this.skip()
      equal(missing, undefined)
      const device = await create()
      try {
        equal(device.info.device, kind)
      } finally {
        device.dispose()
      }
    })
  }
})
