import assert from 'node:assert/strict'
import fc from 'fast-check'
import { preprocess, readPreprocessing } from '../../../loaders/image/image.ts'
import { resizeAndCrop } from '../../../loaders/image/resize.ts'
import { randomIntegers, rejects } from './support.ts'

interface Image {
  readonly width: number
  readonly height: number
  /** Value of channel c of pixel (x, y). */
  readonly at: (x: number, y: number, c: number) => number
}

function cubic(x: number): number {
  const d = Math.abs(x)
  if (d < 1) return ((-0.5 + 2) * d - (-0.5 + 3)) * d * d + 1
  return d < 2 ? (((d - 5) * d + 8) * d - 4) * -0.5 : 0
}

/** One output of a resampled line, its sum in exact integers. */
function resample(inSize: number, outSize: number, i: number, pixel: (j: number) => number): number {
  const scale = inSize / outSize
  const stretch = Math.max(scale, 1)
  const center = (i + 0.5) * scale
  const lo = Math.max(Math.trunc(center - 2 * stretch + 0.5), 0)
  const hi = Math.min(Math.trunc(center + 2 * stretch + 0.5), inSize)
  const weights = Array.from({ length: hi - lo }, (_, t) => cubic((lo + t - center + 0.5) * (1 / stretch)))
  const total = weights.reduce((sum, w) => sum + w, 0)
  let sum = 2n ** 21n
  weights.forEach((w, t) => {
    const share = w / total
    sum += BigInt(Math.trunc(share * 2 ** 22 + (share < 0 ? -0.5 : 0.5))) * BigInt(pixel(lo + t))
  })
  return Math.min(255, Math.max(0, Number(sum >> 22n)))
}

/** The whole image at another size, then the crop: nothing is skipped but a pass whose size does not change. */
function naive({ width, height, at }: Image, size: number): Uint8Array {
  const short = Math.min(width, height)
  const w = width === short ? size : Math.trunc((size * width) / short)
  const h = height === short ? size : Math.trunc((size * height) / short)
  const grid = (columns: number, rows: number, value: (x: number, y: number, c: number) => number) => {
    const data = new Uint8Array(columns * rows * 3)
    for (let i = 0; i < data.length; i++)
      data[i] = value(Math.floor(i / 3) % columns, Math.floor(i / 3 / columns), i % 3)
    return (x: number, y: number, c: number) => data[(y * columns + x) * 3 + c]!
  }
  const wide = w === width ? at : grid(w, height, (x, y, c) => resample(width, w, x, (j) => at(j, y, c)))
  const whole = h === height ? wide : grid(w, h, (x, y, c) => resample(height, h, y, (j) => wide(x, j, c)))
  const corner = (excess: number) => {
    const half = excess / 2
    return half % 1 === 0 ? half : 2 * Math.round(half / 2) // x.5 goes to the even neighbour
  }
  const crop = new Uint8Array(size * size * 3)
  for (let i = 0; i < crop.length; i++) {
    const pixel = Math.floor(i / 3)
    crop[i] = whole(corner(w - size) + (pixel % size), corner(h - size) + Math.floor(pixel / size), i % 3)
  }
  return crop
}

function noise(width: number, height: number, channels: 3 | 4, seed: number) {
  const random = randomIntegers(seed)
  const hard = seed % 2 === 0 // black and white: overshoots of the filter are clamped
  const data = Uint8Array.from({ length: width * height * channels }, () => (hard ? random(2) * 255 : random(256)))
  return { data, at: (x: number, y: number, c: number) => data[(y * width + x) * channels + c]! }
}

describe('resize and crop', () => {
  it('is what the formulas say, for any size', () => {
    const side = fc.integer({ min: 1, max: 40 })
    fc.assert(
      fc.property(
        side,
        side,
        fc.integer({ min: 1, max: 17 }),
        fc.constantFrom<3 | 4>(3, 4),
        fc.nat(),
        (w, h, size, n, seed) => {
          const { data, at } = noise(w, h, n, seed)
          assert.deepEqual(resizeAndCrop(data, w, h, n, size), naive({ width: w, height: h, at }, size))
        },
      ),
      { numRuns: 250 },
    )
  })

  for (const [width, height, size] of [
    [1, 1, 8],
    [2, 1, 8],
    [1, 70, 8],
    [90, 1, 8],
    [8, 8, 8],
    [9, 8, 8],
    [11, 8, 8],
    [13, 8, 8],
    [8, 15, 8],
    [8, 29, 8],
    [200, 9, 8],
    [7, 150, 8],
    [100, 100, 1],
    [3, 2, 31],
  ] as const) {
    it(`${width} x ${height} to ${size} is what the formulas say`, () => {
      const { data, at } = noise(width, height, 3, width)
      assert.deepEqual(resizeAndCrop(data, width, height, 3, size), naive({ width, height, at }, size))
    })
  }

  it('crops an image of the right height without resampling it, halves rounded to even', () => {
    for (const [width, left] of [
      [8, 0],
      [9, 0],
      [10, 1],
      [11, 2],
      [13, 2],
      [15, 4],
    ] as const) {
      const data = Uint8Array.from({ length: width * 8 * 3 }, (_, i) => Math.floor(i / 3) % width)
      assert.equal(resizeAndCrop(data, width, 8, 3, 8)[0], left, `width ${width}`)
    }
  })

  it('keeps a flat image flat at every extreme of shape, in little memory', () => {
    for (const [width, height] of [
      [1, 60000],
      [60000, 1],
      [65535, 2],
      [3, 40001],
    ] as const) {
      const before = process.memoryUsage().arrayBuffers
      const crop = resizeAndCrop(new Uint8Array(width * height * 3).fill(93), width, height, 3, 224)
      assert.deepEqual(crop, new Uint8Array(224 * 224 * 3).fill(93))
      assert.ok(process.memoryUsage().arrayBuffers - before < 20e6)
    }
  })
})

describe('preprocess', () => {
  const preprocessing = readPreprocessing({ size: 4, mean: [0.5, 0.25, 0], std: [0.5, 0.25, 1] })

  it('puts channels first and normalises in float32', () => {
    const data = Uint8Array.from({ length: 4 * 4 * 3 }, (_, i) => i * 5)
    const tensor = preprocess({ data, width: 4, height: 4 }, preprocessing)
    assert.equal(tensor.length, 3 * 4 * 4)
    for (let i = 0; i < 16; i++) {
      assert.equal(tensor[i], Math.fround(Math.fround(Math.fround((15 * i) / 255) - 0.5) / 0.5))
      assert.equal(tensor[16 + i], Math.fround(Math.fround(Math.fround((15 * i + 5) / 255) - 0.25) / 0.25))
      assert.equal(tensor[32 + i], Math.fround((15 * i + 10) / 255))
    }
  })

  it('drops alpha: RGBA and RGB give the same', () => {
    const { data } = noise(9, 7, 4, 5)
    const rgb = data.filter((_, i) => i % 4 !== 3)
    assert.deepEqual(
      preprocess({ data: new Uint8ClampedArray(data), width: 9, height: 7 }, preprocessing),
      preprocess({ data: rgb, width: 9, height: 7 }, preprocessing),
    )
  })

  it('refuses pixels that are none', async () => {
    const image = { data: new Uint8Array(10), width: 2, height: 2 }
    await rejects(() => preprocess(image, preprocessing), 'INVALID_INPUT', /12 bytes \(RGB\) or 16 \(RGBA\), got 10/)
  })
})
