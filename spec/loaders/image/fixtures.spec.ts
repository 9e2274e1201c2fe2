import assert from 'node:assert/strict'
import { decodeImage, preprocess, readPreprocessing } from '../../../loaders/image/image.ts'
import { resizeAndCrop } from '../../../loaders/image/resize.ts'
import { bytesOf, difference, expectedTensors, imageFixtures, readFixture, sha256 } from './support.ts'

describe('image fixtures, against Pillow', () => {
  const expected = expectedTensors()
  const preprocessing = readPreprocessing({})
  const fixtures = imageFixtures()

  it('are all there', () => {
    assert.equal(fixtures.length, 32)
  })

  for (const fixture of fixtures) {
    const { file, width, height } = fixture

    it(`${file}: pixels, crop and tensor are the same bits`, async () => {
      const image = await decodeImage(readFixture(file))
      assert.equal(image.format, file.endsWith('.png') ? 'png' : 'jpeg')
      assert.deepEqual([image.width, image.height], [width, height])
      const decoded = expected.get(`decoded/${file}`)
      if (decoded) assert.deepEqual(difference(image.data, decoded), { max: 0, mean: 0 })
      assert.equal(sha256(image.data), fixture.decoded_rgb_sha256)

      const crop = resizeAndCrop(image.data, width, height, 3, 224)
      assert.deepEqual(difference(crop, expected.get(`crop/${file}`)!), { max: 0, mean: 0 })

      const tensor = preprocess(image, preprocessing)
      assert.equal(tensor.length, 3 * 224 * 224)
      assert.equal(sha256(bytesOf(tensor)), fixture.f32_sha256)
      const floats = expected.get(`f32/${file}`)
      if (floats) assert.ok(Buffer.from(bytesOf(tensor)).equals(floats))
    })
  }
})
