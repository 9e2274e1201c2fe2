import { deepEqual, equal, ok, rejects } from 'node:assert/strict'
import { load } from '../../../index.ts'
import { decodeImage } from '../../../loaders/image/image.ts'

/** A picture with a colour of its own at every pixel, RGBA. */
function picture(width: number, height: number): Uint8ClampedArray<ArrayBuffer> {
  const data = new Uint8ClampedArray(4 * width * height)
  for (let i = 0; i < width * height; i++) data.set([(i * 37) % 256, (i * 101) % 256, (i * 11) % 256, 255], 4 * i)
  return data
}

/** At full quality Chromium writes WebP without loss. */
async function encoded(type: string, width: number, height: number): Promise<Blob> {
  const canvas = new OffscreenCanvas(width, height)
  canvas.getContext('2d')!.putImageData(new ImageData(picture(width, height), width, height), 0, 0)
  const blob = await canvas.convertToBlob({ type, quality: 1 })
  equal(blob.type, type)
  return blob
}

/** An extended WebP of a lossless one, with EXIF data that says how to turn it. */
function webpWithOrientation(file: Uint8Array, orientation: number, width: number, height: number): Blob {
  const little = (value: number, bytes: number) => Array.from({ length: bytes }, (_, i) => (value >> (8 * i)) & 255)
  const text = (letters: string) => Array.from(letters, (letter) => letter.charCodeAt(0))
  const chunk = (name: string, data: readonly number[]) => [...text(name), ...little(data.length, 4), ...data]
  const picture = Buffer.from(file).toString('latin1').indexOf('VP8L')
  ok(picture > 0)
  const size = new DataView(file.buffer, file.byteOffset).getUint32(picture + 4, true)
  const [exifFlag, alphaFlag] = [8, 16]
  const header = [exifFlag | alphaFlag, 0, 0, 0, ...little(width - 1, 3), ...little(height - 1, 3)]
  const tiff = [...text('MM'), 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0, 0, 0, 0, 0]
  const lossless = file.subarray(picture, picture + 8 + size + (size & 1))
  const body = [...text('WEBP'), ...chunk('VP8X', header), ...lossless, ...chunk('EXIF', tiff)]
  return new Blob([Uint8Array.from([...text('RIFF'), ...little(body.length, 4), ...body])], { type: 'image/webp' })
}

describe('images through the decoder of the browser', () => {
  const rgb = picture(61, 47).filter((_, i) => i % 4 !== 3)

  it('WebP, which is not decoded here otherwise: exact', async () => {
    const { data, width, height, format } = await decodeImage(await encoded('image/webp', 61, 47))
    deepEqual({ width, height, format }, { width: 61, height: 47, format: 'webp' })
    deepEqual([...data], [...rgb])
  })

  it('gives the embedding of the same pixels', async () => {
    using clip = await load()
    const pixels = await clip.encodeImage({ data: new Uint8Array(rgb), width: 61, height: 47 })
    for (const type of ['image/webp', 'image/png']) {
      deepEqual([...(await clip.encodeImage(await encoded(type, 61, 47))).data], [...pixels.data])
    }
  })

  it('EXIF orientation turns nothing: WebP', async () => {
    const plain = new Uint8Array(await (await encoded('image/webp', 61, 47)).arrayBuffer())
    const turned = webpWithOrientation(plain, 6, 61, 47)
    const { data, width, height } = await decodeImage(turned)
    deepEqual({ width, height }, { width: 61, height: 47 })
    deepEqual([...data], [...rgb])
  })

  it('a damaged WebP is refused', async () => {
    const bytes = new Uint8Array(await (await encoded('image/webp', 61, 47)).arrayBuffer())
    await rejects(decodeImage(bytes.subarray(0, bytes.length >> 1)), { name: 'BareclipError' })
  })
})
