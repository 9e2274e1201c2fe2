import assert from 'node:assert/strict'
import { deflateSync } from 'node:zlib'
import { PNG } from 'pngjs'
import { decodePng } from '../../../loaders/image/png.ts'
import { chunk, header, PNG_SIGNATURE, type PngOptions, samplesPerPixel, writePng, writeRows } from './png-writer.ts'
import { concat, imageFixtures, randomIntegers, readFixture, rejects } from './support.ts'

const DEPTHS = { 0: [1, 2, 4, 8, 16], 2: [8, 16], 3: [1, 2, 4, 8], 4: [8, 16], 6: [8, 16] }
const NAMES: Record<string, string> = { 0: 'grey', 2: 'RGB', 3: 'palette', 4: 'grey with alpha', 6: 'RGBA' }

/** What Pillow's convert('RGB') makes of the samples of one pixel. */
function toRgb(samples: number[], bitDepth: number, colorType: number, palette: readonly number[]): number[] {
  if (colorType === 3) return palette.slice(samples[0]! * 3, samples[0]! * 3 + 3)
  const byte = (v: number) => {
    if (bitDepth < 8) return (v * 255) / (2 ** bitDepth - 1)
    if (bitDepth === 8) return v
    return colorType === 0 ? Math.min(v, 255) : v >> 8
  }
  const [r, g, b] = samples.map(byte)
  return colorType === 2 || colorType === 6 ? [r!, g!, b!] : [r!, r!, r!]
}

function expectedRgb(
  options: Required<Pick<PngOptions, 'width' | 'height' | 'bitDepth' | 'colorType' | 'sample' | 'palette'>>,
) {
  const { width, height, bitDepth, colorType, sample, palette } = options
  const rgb: number[] = []
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const samples = Array.from({ length: samplesPerPixel(colorType) }, (_, c) => sample(x, y, c))
      rgb.push(...toRgb(samples, bitDepth, colorType, palette))
    }
  }
  return Uint8Array.from(rgb)
}

const sizes = [
  [1, 1],
  [2, 1],
  [1, 9],
  [3, 3],
  [5, 8],
  [33, 4],
  [17, 23],
] as const

describe('PNG', () => {
  for (const [type, depths] of Object.entries(DEPTHS)) {
    for (const bitDepth of depths) {
      for (const interlaced of [false, true]) {
        it(`${NAMES[type]}, ${bitDepth} bits${interlaced ? ', interlaced' : ''}: all filters, awkward sizes`, async () => {
          const random = randomIntegers(bitDepth)
          for (const [width, height] of sizes) {
            const colorType = Number(type)
            const values = Array.from({ length: width * height * 4 }, () => random(2 ** bitDepth))
            const options = {
              width,
              height,
              bitDepth,
              colorType,
              interlaced,
              palette: colorType === 3 ? Array.from({ length: 2 ** bitDepth * 3 }, () => random(256)) : [],
              sample: (x: number, y: number, c: number) => values[(y * width + x) * 4 + c]!,
              filter: (y: number) => (y + width) % 5,
            }
            const { palette, ...rest } = options
            const file = writePng(colorType === 3 ? options : rest)
            const image = await decodePng(file)
            assert.deepEqual([image.width, image.height], [width, height])
            assert.deepEqual(image.data, expectedRgb({ ...options, palette }))
          }
        })
      }
    }
  }

  it('reads 8-bit files as pngjs does', async () => {
    // pngjs scales 16 bits, and blanks the colour that an RGB file's tRNS chunk names
    const files = imageFixtures().filter(({ file }) => file.endsWith('.png') && !/16|rgb-trns/.test(file))
    assert.ok(files.length > 15)
    for (const { file } of files) {
      const bytes = readFixture(file)
      const peer = PNG.sync.read(Buffer.from(bytes))
      const image = await decodePng(bytes)
      const rgb = peer.data.filter((_, i) => i % 4 !== 3)
      assert.ok(Buffer.from(image.data).equals(rgb), file)
    }
  })

  it('takes image data cut into chunks anywhere, empty ones too', async () => {
    const options = {
      width: 19,
      height: 11,
      sample: (x: number, y: number, c: number) => (x * 31 + y * 7 + c * 90) & 255,
    }
    const whole = await decodePng(writePng(options))
    for (const pieces of [1, 2, 7]) assert.deepEqual(await decodePng(writePng({ ...options, pieces })), whole)
    const data = deflateSync(writeRows(options))
    const file = concat(PNG_SIGNATURE, header(19, 11), chunk('IDAT'), chunk('IDAT', data), chunk('IDAT'), chunk('IEND'))
    assert.deepEqual(await decodePng(file), whole)
  })

  it('ignores ancillary chunks, even damaged ones, and bytes behind the end', async () => {
    const damaged = chunk('tEXt', [1, 2, 3])
    damaged[10]! ^= 1
    const extra = [
      chunk('gAMA', [0, 0, 1, 1]),
      chunk('iCCP', [65, 0, 0, 9]),
      chunk('tRNS', [0, 7, 0, 7, 0, 7]),
      damaged,
    ]
    const file = writePng({ width: 1, height: 1, sample: () => 7, extra })
    assert.deepEqual([...(await decodePng(concat(file, 'trailing bytes'))).data], [7, 7, 7])
  })

  it('reads a view that starts inside a larger buffer, and shared memory', async () => {
    const file = writePng({ width: 2, height: 1, sample: (x) => 100 + x })
    const shared = new Uint8Array(new SharedArrayBuffer(file.length + 10), 5, file.length)
    shared.set(file)
    assert.deepEqual([...(await decodePng(shared)).data], [100, 100, 100, 101, 101, 101])
  })

  it('stops inflating a bomb at the size that the header says', async () => {
    const bomb = deflateSync(Buffer.alloc(300_000_000)) // 300 kB deflated
    const before = process.memoryUsage().rss
    const image = await decodePng(writePng({ width: 2, height: 2, data: new Uint8Array(bomb) }))
    assert.deepEqual(image.data, new Uint8Array(12))
    assert.ok(process.memoryUsage().rss - before < 100e6, 'it must not hold the inflated data')
  })

  describe('refuses with INVALID_IMAGE', () => {
    const good = { width: 4, height: 3, sample: (x: number, y: number) => x * 40 + y }
    const file = writePng(good)
    const data = new Uint8Array(deflateSync(writeRows(good)))
    const png = (...chunks: Uint8Array[]) => concat(PNG_SIGNATURE, ...chunks)
    const end = chunk('IEND')
    const idat = chunk('IDAT', data)
    const flipped = (at: number) => file.map((byte, i) => (i === at ? byte ^ 4 : byte))

    const cases: readonly (readonly [what: string, bytes: Uint8Array, message: RegExp])[] = [
      ['a damaged signature', flipped(5), /first 8 bytes/],
      ['a wrong CRC of the header', flipped(18), /checksum of its IHDR/],
      ['a wrong CRC of the data', flipped(file.length - 18), /checksum of its IDAT/],
      ['no header', png(idat, end), /first chunk is IDAT, not IHDR/],
      ['a short header', png(chunk('IHDR', [0, 0, 0, 1]), idat, end), /header has 4 bytes/],
      ['two headers', png(header(4, 3), header(4, 3), idat, end), /two headers/],
      ['a width of 0', png(header(0, 3), idat, end), /0 x 3 pixels/],
      ['a height of 0', png(header(3, 0), idat, end), /3 x 0 pixels/],
      ['a colour type that does not exist', png(header(4, 3, 8, 5), idat, end), /colour type 5 with 8 bits/],
      ['RGB of 4 bits', png(header(4, 3, 4, 2), idat, end), /colour type 2 with 4 bits/],
      ['unknown compression', png(header(4, 3, 8, 2, [1, 0, 0]), idat, end), /compression 1/],
      ['unknown interlacing', png(header(4, 3, 8, 2, [0, 0, 2]), idat, end), /interlace 2/],
      ['a palette image without palette', png(header(4, 3, 8, 3), idat, end), /no palette/],
      ['an empty palette', png(header(4, 3, 8, 3), chunk('PLTE'), idat, end), /palette has 0 bytes/],
      ['a palette of 4 bytes', png(header(4, 3, 8, 3), chunk('PLTE', [1, 2, 3, 4]), idat, end), /palette has 4 bytes/],
      ['a palette behind the data', png(header(4, 3), idat, chunk('PLTE', [1, 2, 3]), end), /follows its image data/],
      ['no image data', png(header(4, 3), end), /no image data/],
      ['image data in two places', png(header(4, 3), idat, chunk('tEXt'), idat, end), /two places/],
      [
        'too few rows',
        writePng({ ...good, data: new Uint8Array(deflateSync(writeRows({ ...good, height: 2 }))) }),
        /too little/,
      ],
      ['deflated data cut short', writePng({ ...good, data: data.subarray(0, data.length - 8) }), /inflate|too little/],
      ['data that is not deflated', writePng({ ...good, data: new Uint8Array(50).fill(255) }), /does not inflate/],
      ['filter 5', writePng({ ...good, data: new Uint8Array(deflateSync(Buffer.alloc(39, 5))) }), /filter 5/],
      [
        'a colour beyond the palette',
        writePng({ ...good, colorType: 3, palette: [1, 2, 3], sample: () => 1 }),
        /colour 1 of a palette of 1/,
      ],
      ['a header far larger than its data', png(header(60000, 60000), idat, end), /too little image data/],
      [
        'a chunk without a name',
        png(header(4, 3), concat([0, 0, 0, 0, 1, 2, 3, 4, 0, 0, 0, 0]), idat, end),
        /no valid name/,
      ],
      ['a chunk of 4 GB', png(header(4, 3), concat([255, 255, 255, 255], 'IDAT', data)), /ends inside its IDAT/],
    ]
    for (const [what, bytes, message] of cases) {
      it(what, () => rejects(() => decodePng(bytes), 'INVALID_IMAGE', message))
    }

    it('a file cut anywhere', async () => {
      for (let length = 0; length < file.length; length++) {
        await rejects(() => decodePng(file.subarray(0, length)), 'INVALID_IMAGE')
      }
    })

    it('a larger file cut every 64 bytes', async () => {
      const bytes = readFixture('png-rgba.png')
      for (let length = 0; length < bytes.length; length += 64) {
        await rejects(() => decodePng(bytes.subarray(0, length)), 'INVALID_IMAGE')
      }
    })

    it('deflated data with any byte changed, or gives an image of the right size', async () => {
      const random = randomIntegers(11)
      const options = { width: 40, height: 30, sample: (x: number, y: number, c: number) => (x * y + 50 * c) & 255 }
      const deflated = new Uint8Array(deflateSync(writeRows(options)))
      let refused = 0
      for (let i = 0; i < 400; i++) {
        const damaged = deflated.slice()
        damaged[random(damaged.length)] = random(256)
        const bytes = writePng({ ...options, data: damaged })
        await decodePng(bytes).then(
          (image) => assert.equal(image.data.length, 40 * 30 * 3),
          async (error) => {
            refused++
            await rejects(() => Promise.reject(error), 'INVALID_IMAGE')
          },
        )
      }
      assert.ok(refused > 100)
    })
  })

  it('names what it does not support', async () => {
    const unknown = writePng({ width: 1, height: 1, extra: [chunk('NEWX')] })
    await rejects(() => decodePng(unknown), 'UNSUPPORTED_IMAGE', /NEWX/)
    const apple = concat(PNG_SIGNATURE, chunk('CgBI', [0, 0, 0, 0]), header(1, 1), chunk('IEND'))
    await rejects(() => decodePng(apple), 'UNSUPPORTED_IMAGE', /CgBI/)
  })

  it('throws the reason of an abort between pieces', async () => {
    const controller = new AbortController()
    const reason = new Error('enough')
    const pending = decodePng(readFixture('noise-500x333.png'), controller.signal)
    controller.abort(reason)
    await assert.rejects(pending, (error) => error === reason)
  })
})
