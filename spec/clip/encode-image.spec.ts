import { deepEqual, equal, ok, rejects } from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { type Clip, type ImageInput, load } from '../../index.ts'

const picture = (name: string) => readFileSync(new URL(`../../shapes/pictures/${name}`, import.meta.url))

describe('encodeImage', () => {
  let clip: Clip
  before(async () => {
    clip = await load()
  })
  after(() => clip.dispose())

  it('bytes, a Blob, an ArrayBuffer and raw pixels', async () => {
    const bytes = picture('red-circle.png')
    const copy = new Uint8Array(bytes)
    const result = await clip.encodeImage([bytes, new Blob([copy]), copy.buffer])
    deepEqual(result.row(1), result.row(0))
    deepEqual(result.row(2), result.row(0))
    deepEqual(result.usage[0], { width: 320, height: 320, tiles: 4 })
    const white = { data: new Uint8ClampedArray(4 * 9).fill(255), width: 3, height: 3 }
    const rgb = { data: new Uint8Array(3 * 9).fill(255), width: 3, height: 3 }
    const raw = await clip.encodeImage([white, rgb])
    deepEqual(raw.row(0), raw.row(1))
  })

  it('counts tiles as the hosted API does: 750 × 500 is 12', async () => {
    const data = new Uint8Array(750 * 500 * 3)
    deepEqual((await clip.encodeImage({ data, width: 750, height: 500 })).usage, [
      { width: 750, height: 500, tiles: 12 },
    ])
  })

  it('the same bits alone, in a batch and in passes of any size', async () => {
    const names = ['red-circle.png', 'black-arrow.png', 'brown-hexagon.jpg', 'two-white-stars.png', 'yellow-star.png']
    const images = names.map(picture)
    const together = await clip.encodeImage(images)
    using small = await load(undefined, { passTokens: 1 })
    deepEqual((await small.encodeImage(images)).data, together.data)
    deepEqual((await clip.encodeImage(images[3]!)).row(0), together.row(3))
  })

  it('an empty list is no rows', async () => {
    equal((await clip.encodeImage([])).rows, 0)
  })

  it('dimensions and normalize', async () => {
    const bytes = picture('yellow-star.png')
    const raw = await clip.encodeImage(bytes, { normalize: false })
    const cut = await clip.encodeImage(bytes, { normalize: false, dimensions: 7 })
    deepEqual(cut.row(0), raw.row(0).slice(0, 7))
  })

  it('a bad image among good ones: named, or kept apart', async () => {
    const good = picture('yellow-star.png')
    const bad = new TextEncoder().encode('not an image at all')
    await rejects(clip.encodeImage([good, bad]), { code: 'INVALID_IMAGE', message: /^image 1 of 2: / })
    const result = await clip.encodeImage([bad, good, good.subarray(0, 500), good], { onError: 'keep' })
    deepEqual([...result.errors.keys()], [0, 2])
    ok(result.row(0).every(Number.isNaN))
    deepEqual(result.row(1), (await clip.encodeImage(good)).row(0))
    deepEqual(result.row(3), result.row(1))
  })

  for (const input of [null, undefined, 3, 'picture.png', {}, { data: [1, 2, 3], width: 1, height: 1 }]) {
    it(`refuses ${JSON.stringify(input)}`, async () => {
      await rejects(clip.encodeImage([input as unknown as ImageInput]), { code: 'INVALID_INPUT' })
    })
  }

  it('takes a limit and a decoder from load', async () => {
    const pixels = { data: new Uint8Array(3 * 16).fill(128), width: 4, height: 4 }
    using strict = await load(undefined, { maxPixels: 1000, decode: async () => pixels })
    await rejects(strict.encodeImage(picture('yellow-star.png')), { code: 'IMAGE_TOO_LARGE', message: /320 x 320/ })
    const gif = Uint8Array.of(...new TextEncoder().encode('GIF89a'), 4, 0, 4, 0, 0, 0, 0) // 4 × 4
    deepEqual((await strict.encodeImage(gif)).row(0), (await clip.encodeImage(pixels)).row(0))
  })
})
