import { deepEqual, equal, rejects } from 'node:assert/strict'
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

  it('a damaged WebP is refused', async () => {
    const bytes = new Uint8Array(await (await encoded('image/webp', 61, 47)).arrayBuffer())
    await rejects(decodeImage(bytes.subarray(0, bytes.length >> 1)), { name: 'BareclipError' })
  })
})
