import assert from 'node:assert/strict'
import { sniff } from '../../../loaders/image/format.ts'
import { imageSize } from '../../../loaders/image/image.ts'
import { samples } from './format-samples.ts'
import { imageFixtures, readFixture } from './support.ts'

describe('image format', () => {
  for (const [name, { bytes, format, size }] of Object.entries(samples)) {
    it(`of ${name}: ${format}${size ? `, ${size.join(' x ')}` : ''}`, () => {
      assert.equal(sniff(bytes), format)
      assert.deepEqual(imageSize(bytes), size && { format, width: size[0], height: size[1] })
    })
  }

  it('and size of the fixtures come from their headers', () => {
    for (const { file, width, height } of imageFixtures()) {
      const format = file.endsWith('.png') ? 'png' : 'jpeg'
      assert.deepEqual(imageSize(readFixture(file)), { format, width, height })
    }
  })

  it('of a header cut anywhere is given or not, and never fails', () => {
    const files = [
      ...Object.values(samples).map((s) => s.bytes),
      readFixture('jpg-exif6.jpg'),
      readFixture('one-pixel.png'),
    ]
    for (const bytes of files) {
      const whole = imageSize(bytes)
      for (let length = 0; length < Math.min(bytes.length, 1000); length++) {
        const size = imageSize(bytes.subarray(0, length))
        assert.ok(
          size === undefined || JSON.stringify(size) === JSON.stringify(whole),
          `${length} bytes: ${JSON.stringify(size)}`,
        )
      }
    }
  })

  it('of damaged headers is given or not, and never fails', () => {
    let state = 1
    for (const { bytes } of Object.values(samples)) {
      for (let i = 0; i < 300; i++) {
        const damaged = bytes.slice()
        state = (Math.imul(state, 1664525) + 1013904223) | 0
        if (damaged.length > 0) damaged[(state >>> 8) % Math.min(damaged.length, 300)] = state >>> 24
        const size = imageSize(damaged)
        if (size) assert.ok(size.width >= 0 && size.height >= 0)
      }
    }
  })
})
