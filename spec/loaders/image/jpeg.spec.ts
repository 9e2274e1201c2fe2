import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import jpegJs from 'jpeg-js'
import { decodeJpeg } from '../../../loaders/image/jpeg.ts'
import { base64, concat, difference, randomIntegers, readFixture, rejects, sha256 } from './support.ts'

/**
 * Small JPEGs of unusual kinds, with the SHA-256 of the RGB that Pillow 12.3 (libjpeg-turbo 3.1.4.1) makes of them. Written
 * by libjpeg-turbo's cjpeg, Pillow and imagecodecs from a part of photo-image.jpeg, some then edited as their name says.
 */
const variants: { name: string; width: number; height: number; sha256: string; jpeg: string }[] = JSON.parse(
  readFileSync(new URL('jpeg-variants.json', import.meta.url), 'utf8'),
)

const JPEGS = [
  'jpg-444.jpg',
  'jpg-422.jpg',
  'jpg-420.jpg',
  'jpg-progressive.jpg',
  'jpg-gray.jpg',
  'jpg-cmyk.jpg',
  'jpg-restart.jpg',
  'jpg-lowq-optimized.jpg',
]

/** Where marker 0xFF `code` stands first. */
function find(bytes: Uint8Array, code: number): number {
  const at = bytes.findIndex((byte, i) => byte === 0xff && bytes[i + 1] === code)
  assert.ok(at > 0)
  return at
}

/** A copy with `values` written at `at`. */
function patched(bytes: Uint8Array, at: number, ...values: number[]): Uint8Array {
  const copy = bytes.slice()
  copy.set(values, at)
  return copy
}

/** A copy without [start, end). */
const without = (bytes: Uint8Array, start: number, end: number) => concat(bytes.subarray(0, start), bytes.subarray(end))

const segmentEnd = (bytes: Uint8Array, at: number) => at + 2 + ((bytes[at + 2]! << 8) | bytes[at + 3]!)

describe('JPEG', () => {
  describe('is decoded to the same bits as by Pillow', () => {
    for (const variant of variants) {
      it(variant.name, async () => {
        const image = await decodeJpeg(base64(variant.jpeg))
        assert.deepEqual([image.width, image.height], [variant.width, variant.height])
        assert.equal(image.data.length, variant.width * variant.height * 3)
        assert.equal(sha256(image.data), variant.sha256)
      })
    }
  })

  it('is close to what jpeg-js makes of it', async () => {
    for (const file of ['jpg-444.jpg', 'jpg-gray.jpg', 'photo-progressive-420.jpg']) {
      const bytes = readFixture(file)
      const peer = jpegJs.decode(bytes, { useTArray: true, formatAsRGBA: false })
      const { mean } = difference((await decodeJpeg(bytes)).data, peer.data)
      assert.ok(mean < 1.5, `${file}: ${mean}`)
    }
  })

  it('reads a view that starts inside a larger buffer', async () => {
    const bytes = readFixture('jpg-420.jpg')
    const view = concat([1, 2, 3], bytes).subarray(3)
    assert.deepEqual(await decodeJpeg(view), await decodeJpeg(bytes))
  })

  describe('refuses with INVALID_IMAGE', () => {
    const bytes = readFixture('jpg-420.jpg')
    const frame = find(bytes, 0xc0)
    const scan = find(bytes, 0xda)
    const tables = find(bytes, 0xdb)
    const huffman = find(bytes, 0xc4)
    const cases: readonly (readonly [what: string, bytes: Uint8Array, message: RegExp])[] = [
      ['a height of 0', patched(bytes, frame + 5, 0, 0), /203 x 0 pixels/],
      ['a width of 0', patched(bytes, frame + 7, 0, 0), /0 x 155 pixels/],
      ['a size far larger than its data', patched(bytes, frame + 5, 0x10, 0, 0x10, 0), /too little image data/],
      ['sampling factors of 0', patched(bytes, frame + 11, 0x02), /sampling factors 0 x 2/],
      ['sampling factors of 5', patched(bytes, frame + 11, 0x51), /sampling factors 5 x 1/],
      ['two components of one name', patched(bytes, frame + 13, bytes[frame + 10]!), /two components/],
      ['a frame header of the wrong length', patched(bytes, frame + 9, 2), /frame header has the wrong length/],
      ['a scan header of the wrong length', patched(bytes, scan + 4, 2), /scan header has the wrong length/],
      ['a scan of an unknown component', patched(bytes, scan + 5, 77), /scan is of components 77/],
      ['a segment of length 1', patched(bytes, tables + 2, 0, 1), /impossible length/],
      ['no frame header', without(bytes, frame, segmentEnd(bytes, frame)), /scan comes before/],
      [
        'two frame headers',
        concat(bytes.subarray(0, frame), bytes.subarray(frame, frame + 19), bytes.subarray(frame)),
        /two frame/,
      ],
      ['no scan', concat(bytes.subarray(0, scan), [0xff, 0xd9]), /no image data/],
      ['no quantization tables', without(bytes, tables, frame), /quantization table is missing/],
      ['no Huffman tables', without(bytes, huffman, scan), /in no table/],
      ['a Huffman table of too many codes', patched(bytes, huffman + 5, 3), /too many codes|cut short/],
      ['half of its scan', without(bytes, 4000, bytes.length - 2), /too early|no table|coefficients|impossible size/],
      [
        'a second image inside',
        concat(bytes.subarray(0, frame), [0xff, 0xd8, 0, 2], bytes.subarray(frame)),
        /second image/,
      ],
    ]
    for (const [what, damaged, message] of cases) {
      it(what, () => rejects(() => decodeJpeg(damaged), 'INVALID_IMAGE', message))
    }

    it('a component without a scan', async () => {
      const variant = variants.find(({ name }) => name.startsWith('a scan for each component, 33'))!
      const file = base64(variant.jpeg)
      let last = 0
      for (let at = 0; at < file.length; at++) if (file[at] === 0xff && file[at + 1] === 0xda) last = at
      await rejects(
        () => decodeJpeg(concat(file.subarray(0, last), [0xff, 0xd9])),
        'INVALID_IMAGE',
        /no data for its component 3/,
      )
    })

    it('a missing, a wrong and a repeated restart marker', async () => {
      const file = readFixture('jpg-restart.jpg')
      const at = find(file, 0xd1)
      for (const damaged of [without(file, at, at + 2), patched(file, at + 1, 0xd5), patched(file, at + 1, 0xd0)]) {
        await rejects(() => decodeJpeg(damaged), 'INVALID_IMAGE')
      }
    })

    for (const file of JPEGS) {
      it(`${file} cut every 64 bytes, and near its end`, async () => {
        const whole = readFixture(file)
        for (let length = 0; length < whole.length; length += length < whole.length - 80 ? 64 : 1) {
          await rejects(() => decodeJpeg(whole.subarray(0, length)), 'INVALID_IMAGE')
        }
      })
    }
  })

  it('with damaged bytes is refused, or gives an image of the size it says', async () => {
    const random = randomIntegers(3)
    let refused = 0
    for (let i = 0; i < 600; i++) {
      const damaged = readFixture(JPEGS[i % JPEGS.length]!)
      for (let n = random(4); n >= 0; n--) damaged[random(damaged.length)] = random(3) ? random(256) : 255
      await decodeJpeg(damaged).then(
        ({ data, width, height }) => assert.equal(data.length, width * height * 3),
        (error) => {
          refused++
          assert.match(error.code, /^(INVALID|UNSUPPORTED)_IMAGE$/, String(error.stack))
        },
      )
    }
    assert.ok(refused > 100)
  })

  it('of other kinds is refused by name', async () => {
    const bytes = readFixture('jpg-420.jpg')
    const frame = find(bytes, 0xc0)
    const kinds: [Uint8Array, RegExp][] = [
      [patched(bytes, frame + 1, 0xc9), /arithmetic coding/],
      [patched(bytes, frame + 1, 0xc3), /lossless coding/],
      [patched(bytes, frame + 1, 0xc5), /hierarchical/],
      [patched(bytes, frame + 4, 12), /12 bits a sample/],
      [patched(patched(bytes, frame + 11, 0x32), frame + 14, 0x21), /fractional sampling \(3x2, 2x1, 1x1\)/],
      [
        concat(
          bytes.subarray(0, frame),
          [0xff, 0xc0, 0, 14, 8, 0, 8, 0, 8, 2, 1, 17, 0, 2, 17, 0],
          bytes.subarray(frame + 19),
        ),
        /2 colour components/,
      ],
    ]
    for (const [file, message] of kinds) await rejects(() => decodeJpeg(file), 'UNSUPPORTED_IMAGE', message)
  })

  it('with hundreds of scans is refused before it costs time', async () => {
    const file = readFixture('photo-progressive-420.jpg')
    let last = 0
    for (let at = 0; at < file.length; at++) if (file[at] === 0xff && file[at + 1] === 0xda) last = at
    const scan = file.subarray(last, file.length - 2)
    const many = concat(file.subarray(0, last), ...Array.from({ length: 500 }, () => scan), [0xff, 0xd9])
    await rejects(() => decodeJpeg(many), 'UNSUPPORTED_IMAGE', /more than 100 scans/)
  })

  it('lets an abort through while it works', async () => {
    const side = 2000
    const { data } = jpegJs.encode(
      { data: new Uint8Array(side * side * 4).map((_, i) => (i * i) >> 7), width: side, height: side },
      80,
    )
    const controller = new AbortController()
    const reason = new Error('enough')
    setTimeout(() => controller.abort(reason), 30)
    await assert.rejects(decodeJpeg(data, undefined, controller.signal), (error) => error === reason)
  })
})
