import assert from 'node:assert/strict'
import { decodeImageWith } from '../../../loaders/image/decode.ts'
import { decodeImage, type ImageInput, type Pixels } from '../../../loaders/image/image.ts'
import { samples } from './format-samples.ts'
import { chunk, header, PNG_SIGNATURE, writePng } from './png-writer.ts'
import { concat, imageFixtures, readFixture, rejects, sha256 } from './support.ts'

const png = () => readFixture('two-by-one.png')
const hashOf = (file: string) => imageFixtures().find((fixture) => fixture.file === file)!.decoded_rgb_sha256

/** A copy of a JPEG whose frame header says another size. */
function resizedJpeg(width: number, height: number): Uint8Array {
  const bytes = readFixture('jpg-420.jpg')
  const frame = bytes.findIndex((byte, i) => byte === 0xff && bytes[i + 1] === 0xc0)
  bytes.set([height >> 8, height & 255, width >> 8, width & 255], frame + 5)
  return bytes
}

describe('decodeImage', () => {
  describe('takes', () => {
    const file = 'jpg-422.jpg'
    const bytes = readFixture(file)
    // A page that is not isolated has none.
    const shared = typeof SharedArrayBuffer === 'function' ? new SharedArrayBuffer(bytes.length) : undefined
    if (shared) new Uint8Array(shared).set(bytes)
    const inputs: Record<string, ImageInput> = {
      'a Uint8Array': bytes,
      'a view inside a larger buffer': concat([9, 9], bytes, [9]).subarray(2, bytes.length + 2),
      'a Buffer': Buffer.from(bytes),
      'an ArrayBuffer': bytes.slice().buffer,
      'a Blob': new Blob([bytes.slice()]),
      ...(shared && {
        'a Uint8Array on shared memory': new Uint8Array(shared),
        'a SharedArrayBuffer': shared as unknown as ArrayBuffer,
      }),
    }
    for (const [name, input] of Object.entries(inputs)) {
      it(name, async () => {
        const image = await decodeImage(input)
        assert.equal(sha256(image.data), hashOf(file))
        assert.deepEqual([image.width, image.height, image.format], [157, 119, 'jpeg'])
      })
    }

    it('RGB and RGBA pixels, alpha dropped', async () => {
      const rgb = Uint8Array.of(1, 2, 3, 4, 5, 6)
      const expected = { data: rgb, width: 2, height: 1, format: 'pixels' }
      assert.deepEqual(await decodeImage({ data: rgb, width: 2, height: 1 }), expected)
      const rgba = Uint8ClampedArray.of(1, 2, 3, 0, 4, 5, 6, 128)
      assert.deepEqual(await decodeImage({ data: rgba, width: 2, height: 1 }), expected)
      assert.deepEqual(await decodeImage({ data: new Uint8ClampedArray(rgb), width: 2, height: 1 }), expected)
    })

    it('an object with accessors, as ImageData is', async () => {
      class Picture {
        get data() {
          return Uint8ClampedArray.of(7, 8, 9, 255)
        }
        get width() {
          return 1
        }
        get height() {
          return 1
        }
      }
      assert.deepEqual([...(await decodeImage(new Picture())).data], [7, 8, 9])
    })
  })

  describe('tells by content, not by name', () => {
    it('a text file called .png', async () => {
      const file = new File(['just words\n'], 'photo.png', { type: 'image/png' })
      await rejects(() => decodeImage(file), 'INVALID_IMAGE', /^expected an image, found a text file/)
    })

    it('a PNG called .txt', async () => {
      const image = await decodeImage(new File([png().slice()], 'notes.txt', { type: 'text/plain' }))
      assert.equal(image.format, 'png')
    })
  })

  describe('refuses with INVALID_INPUT', () => {
    const data = new Uint8Array(12)
    const cases: readonly (readonly [input: unknown, message: RegExp])[] = [
      [null, /^expected an image file's bytes \(Uint8Array, ArrayBuffer or Blob\) or pixels .*, got null$/],
      [undefined, /got undefined/],
      [12, /got 12/],
      ['photo.png', /got "photo.png": a path or URL is not opened here, read the file first/],
      [{}, /got an object \(Object\)/],
      [[1, 2, 3], /got an array of 3/],
      [new Float32Array(4), /got an object \(Float32Array\): for a view of file bytes pass a Uint8Array/],
      [new DataView(new ArrayBuffer(4)), /DataView.*pass a Uint8Array/],
      [new Uint8ClampedArray(4), /Uint8ClampedArray.*pass a Uint8Array/],
      [new URL('file:///photo.png'), /got an object \(URL\)/],
      [{ data, width: 2, height: 3 }, /pixels of 2 x 3 need 18 bytes \(RGB\) or 24 \(RGBA\), got 12/],
      [{ data, width: 0, height: 3 }, /a width that is a positive integer, got 0/],
      [{ data, width: 2, height: -2 }, /a height that is a positive integer, got -2/],
      [{ data, width: 1.5, height: 2 }, /got 1.5/],
      [{ data, width: '2', height: 2 }, /got "2"/],
      [{ data, width: 2 }, /a height that is a positive integer, got undefined/],
      [{ data: [1, 2, 3], width: 1, height: 1 }, /data that is a Uint8Array or Uint8ClampedArray .* got an array of 3/],
      [{ data: new Float32Array(3), width: 1, height: 1 }, /got an object \(Float32Array\)/],
      [{ data: new Uint8Array(0), width: 1, height: 1 }, /got 0/],
    ]
    for (const [input, message] of cases) {
      it(String(message), () => rejects(() => decodeImage(input as ImageInput), 'INVALID_INPUT', message))
    }
  })

  describe('says of a file that is not decoded here what it is and what to do', () => {
    for (const [name, { bytes, format }] of Object.entries(samples)) {
      const isImage = !['pdf', 'html', 'text', 'zip', 'gzip', 'video', 'empty', 'unknown'].includes(format)
      it(name, () =>
        isImage
          ? rejects(
              () => decodeImage(bytes),
              'UNSUPPORTED_IMAGE',
              /^found an? .*convert it to PNG or JPEG, or pass the decode option/,
            )
          : rejects(() => decodeImage(bytes), 'INVALID_IMAGE', /^expected an image, found an? /),
      )
    }
  })

  describe('limits the size before it decodes', () => {
    const huge = concat(PNG_SIGNATURE, header(60000, 60000), chunk('IDAT', [1, 2, 3]), chunk('IEND'))

    it('of a PNG of 60000 x 60000, without allocating it', async () => {
      const before = process.memoryUsage().arrayBuffers
      const message =
        /^a PNG image of 60000 x 60000 pixels \(3600 megapixels\) is over the limit of 100 megapixels: .*maxPixels option$/
      await rejects(() => decodeImage(huge), 'IMAGE_TOO_LARGE', message)
      await rejects(() => decodeImage(huge, { maxPixels: Number.POSITIVE_INFINITY }), 'INVALID_IMAGE', /too little/)
      assert.ok(process.memoryUsage().arrayBuffers - before < 1e6)
    })

    it('of a JPEG of 60000 x 60000, without allocating it', async () => {
      const before = process.memoryUsage().arrayBuffers
      const jpeg = resizedJpeg(60000, 60000)
      await rejects(
        () => decodeImage(jpeg),
        'IMAGE_TOO_LARGE',
        /a JPEG image of 60000 x 60000 .* limit of 24 megapixels/,
      )
      await rejects(() => decodeImage(jpeg, { maxPixels: 4e9 }), 'INVALID_IMAGE', /too little image data/)
      assert.ok(process.memoryUsage().arrayBuffers - before < 1e6)
    })

    it('to maxPixels, which may be raised and lowered', async () => {
      const bytes = readFixture('jpg-422.jpg')
      await rejects(() => decodeImage(bytes, { maxPixels: 157 * 119 - 1 }), 'IMAGE_TOO_LARGE', /157 x 119/)
      await decodeImage(bytes, { maxPixels: 157 * 119 })
      const wide = writePng({ width: 2, height: 1 })
      await rejects(() => decodeImage(wide, { maxPixels: 1 }), 'IMAGE_TOO_LARGE', /2 x 1/)
    })

    it('of a JPEG to 100 megapixels where the platform decodes it', async () => {
      const platform = () => assert.fail('must not be called')
      const jpeg = resizedJpeg(12000, 10000)
      await rejects(() => decodeImageWith(platform, jpeg), 'IMAGE_TOO_LARGE', /limit of 100 megapixels/)
    })

    it('and refuses a size of 0', async () => {
      const empty = concat(PNG_SIGNATURE, header(0, 5), chunk('IDAT', [1]), chunk('IEND'))
      await rejects(() => decodeImage(empty), 'INVALID_IMAGE', /0 x 5 pixels/)
      await rejects(() => decodeImage(resizedJpeg(0, 0)), 'INVALID_IMAGE', /0 x 0 pixels/)
    })

    it('given as a positive number', async () => {
      for (const maxPixels of [0, -1, Number.NaN, '9', null]) {
        const options = { maxPixels: maxPixels as number }
        await rejects(
          () => decodeImage(png(), options),
          'INVALID_ARGUMENT',
          /expected maxPixels to be a positive number/,
        )
      }
    })
  })

  describe('with a decode option', () => {
    const pixels: Pixels = { data: Uint8Array.of(1, 2, 3, 4), width: 1, height: 1 }

    it('asks it first, with the bytes and the format', async () => {
      const asked: [number, string][] = []
      const decode = (bytes: Uint8Array, format: string) => {
        asked.push([bytes.length, format])
        return pixels
      }
      const webp = samples['WebP, lossy']!.bytes
      const image = await decodeImage(webp, { decode })
      assert.deepEqual(image, { data: Uint8Array.of(1, 2, 3), width: 1, height: 1, format: 'webp' })
      await decodeImage(png(), { decode: async (bytes, format) => decode(bytes, format) })
      await decodeImage(samples.zeros!.bytes, { decode })
      assert.deepEqual(asked, [
        [webp.length, 'webp'],
        [png().length, 'png'],
        [100, 'unknown'],
      ])
    })

    it('decodes itself where it gives undefined', async () => {
      const decode = () => undefined
      assert.equal(sha256((await decodeImage(png(), { decode })).data), hashOf('two-by-one.png'))
      await rejects(() => decodeImage(samples.GIF!.bytes, { decode }), 'UNSUPPORTED_IMAGE', /GIF/)
    })

    it('does not ask it for pixels, for nothing, and for what is too large', async () => {
      const decode = () => assert.fail('must not be called')
      await decodeImage(pixels, { decode })
      await rejects(() => decodeImage(new Uint8Array(0), { decode }), 'INVALID_IMAGE', /found an empty file/)
      await rejects(
        () => decodeImage(samples.GIF!.bytes, { decode, maxPixels: 90 }),
        'IMAGE_TOO_LARGE',
        /a GIF image of 13 x 7/,
      )
    })

    it('limits what it gives where the header could not be read', async () => {
      const large = { data: new Uint8Array(300), width: 10, height: 10 }
      const jxl = samples['JPEG XL']!.bytes
      await rejects(() => decodeImage(jxl, { decode: () => large, maxPixels: 99 }), 'IMAGE_TOO_LARGE', /10 x 10/)
    })

    it('checks the pixels it gives', async () => {
      const decode = () => ({ data: new Uint8Array(5), width: 1, height: 1 })
      await rejects(() => decodeImage(png(), { decode }), 'INVALID_INPUT', /need 3 bytes \(RGB\) or 4 \(RGBA\), got 5/)
      await rejects(
        () => decodeImage(png(), { decode: () => null as never }),
        'INVALID_INPUT',
        /decode option .* got null/,
      )
    })

    it('passes its errors on', async () => {
      const error = new Error('mine')
      await assert.rejects(decodeImage(png(), { decode: () => Promise.reject(error) }), (e) => e === error)
    })

    it('wants a function', () =>
      rejects(
        () => decodeImage(png(), { decode: 'sharp' as never }),
        'INVALID_ARGUMENT',
        /decode to be a function, got "sharp"/,
      ))
  })

  describe('where the platform has a decoder', () => {
    const rgba = { data: Uint8ClampedArray.of(10, 20, 30, 255), width: 1, height: 1 }

    it('leaves JPEG and other formats to it, not PNG and not CMYK', async () => {
      const asked: string[] = []
      const platform = async (_: Uint8Array, mimeType: string) => {
        asked.push(mimeType)
        return rgba
      }
      assert.deepEqual([...(await decodeImageWith(platform, readFixture('jpg-420.jpg'))).data], [10, 20, 30])
      for (const name of ['GIF', 'WebP, lossy', 'AVIF', 'BMP', 'ICO', 'TIFF', 'JPEG XL', 'HEIC']) {
        await decodeImageWith(platform, samples[name]!.bytes)
      }
      assert.deepEqual(asked, [
        'image/jpeg',
        'image/gif',
        'image/webp',
        'image/avif',
        'image/bmp',
        'image/x-icon',
        'image/tiff',
        'image/jxl',
        'image/heic',
      ])
      asked.length = 0
      assert.equal(sha256((await decodeImageWith(platform, png())).data), hashOf('two-by-one.png'))
      assert.equal(sha256((await decodeImageWith(platform, readFixture('jpg-cmyk.jpg'))).data), hashOf('jpg-cmyk.jpg'))
      await rejects(() => decodeImageWith(platform, samples.SVG!.bytes), 'UNSUPPORTED_IMAGE', /SVG/)
      await rejects(() => decodeImageWith(platform, samples.text!.bytes), 'INVALID_IMAGE', /text file/)
      assert.deepEqual(asked, [])
    })

    it('still refuses damaged and oversized files first', async () => {
      const platform = () => assert.fail('must not be called')
      const jpeg = readFixture('jpg-420.jpg')
      await rejects(() => decodeImageWith(platform, jpeg.subarray(0, 5000)), 'INVALID_IMAGE', /cut short/)
      await rejects(() => decodeImageWith(platform, samples.GIF!.bytes, { maxPixels: 90 }), 'IMAGE_TOO_LARGE', /13 x 7/)
    })

    it('tells a damaged file from a format that it does not know, and keeps the cause', async () => {
      const cause = new Error('The source image could not be decoded.')
      const platform = () => Promise.reject(cause)
      const keepsCause = (code: string) => (error: { code?: string; cause?: unknown }) =>
        error.code === code && error.cause === cause
      await assert.rejects(decodeImageWith(platform, samples.GIF!.bytes), keepsCause('INVALID_IMAGE'))
      await assert.rejects(decodeImageWith(platform, samples.TIFF!.bytes), keepsCause('UNSUPPORTED_IMAGE'))
    })
  })

  describe('when aborted throws the reason', () => {
    const reason = new Error('enough')

    it('before it starts', async () => {
      const signal = AbortSignal.abort(reason)
      for (const input of [png(), null as never, { data: new Uint8Array(3), width: 1, height: 1 }]) {
        await assert.rejects(decodeImage(input, { signal }), (error) => error === reason)
      }
    })

    it('while a Blob is read, a PNG inflated, a decode option at work', async () => {
      const noise = readFixture('noise-500x333.png')
      for (const input of [new Blob([noise.slice()]), noise]) {
        const controller = new AbortController()
        const pending = decodeImage(input, { signal: controller.signal })
        controller.abort(reason)
        await assert.rejects(pending, (error) => error === reason)
      }
      const controller = new AbortController()
      const decode = () => {
        controller.abort(reason)
        return undefined
      }
      await assert.rejects(decodeImage(png(), { decode, signal: controller.signal }), (error) => error === reason)
    })
  })

  it('reports a Blob that cannot be read', async () => {
    const blob = new Blob(['x'])
    const cause = new Error('gone')
    blob.arrayBuffer = () => Promise.reject(cause)
    await assert.rejects(decodeImage(blob), (error: { code?: string; cause?: unknown }) => {
      return error.code === 'READ_FAILED' && error.cause === cause
    })
  })
})
