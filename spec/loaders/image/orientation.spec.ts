import assert from 'node:assert/strict'
import { decodeImageWith } from '../../../loaders/image/decode.ts'
import { withoutOrientation } from '../../../loaders/image/orientation.ts'
import { concat, readFixture } from './support.ts'

const little = (value: number) => [value & 255, (value >> 8) & 255, value >> 16, 0]
const chunk = (name: string, data: readonly number[]) =>
  concat(name, little(data.length), [...data, ...(data.length % 2 ? [0] : [])])
const webp = (...chunks: Uint8Array[]) => {
  const body = concat('WEBP', ...chunks)
  return concat('RIFF', little(body.length), body)
}
/** Where two files of the same length differ. */
const changes = (a: Uint8Array, b: Uint8Array) => [...a.keys()].filter((i) => a[i] !== b[i])

describe('what the decoder of the platform gets', () => {
  it('a JPEG without its EXIF data, otherwise unchanged', async () => {
    const file = readFixture('jpg-exif6.jpg')
    const before = file.slice()
    let got = new Uint8Array()
    await decodeImageWith(async (bytes) => {
      got = new Uint8Array(bytes)
      return { data: new Uint8ClampedArray(4), width: 1, height: 1 }
    }, file)
    assert.deepEqual(file, before)
    const exif = Buffer.from(file).toString('latin1').indexOf('Exif')
    assert.ok(exif > 0)
    assert.deepEqual(changes(got, file), [exif - 3])
    assert.equal(got[exif - 3], 0xef)
  })

  it('a WebP without its EXIF chunks, wherever they are', () => {
    const [header, picture, exif] = [
      chunk('VP8X', new Array(10).fill(8)),
      chunk('VP8L', [1, 2, 3]),
      chunk('EXIF', [69, 88, 73, 70, 7]),
    ]
    for (const [file, names] of [
      [webp(header, picture, exif), [header.length + picture.length]],
      [webp(header, exif, picture, exif), [header.length, header.length + exif.length + picture.length]],
    ] as const) {
      const changed = changes(withoutOrientation(file, 'webp'), file)
      assert.deepEqual(
        changed,
        names.flatMap((at) => [0, 1, 2, 3].map((i) => 12 + at + i)),
      )
    }
  })

  it('the very file where there is nothing to take out, or its chunks lead nowhere', () => {
    for (const [file, format] of [
      [readFixture('jpg-420.jpg'), 'jpeg'],
      [webp(chunk('VP8L', [1, 2, 3])), 'webp'],
      [webp(chunk('VP8L', [1, 2, 3])).subarray(0, 18), 'webp'],
      [concat('RIFF', [0, 0, 0, 0], 'WEBPVP8L', [255, 255, 255, 255], 'EXIF', [0, 0, 0, 0]), 'webp'],
      [Uint8Array.of(71, 73, 70), 'gif'],
    ] as const) {
      assert.equal(withoutOrientation(file, format), file)
    }
  })
})
