import { channelsOf, type Pixels } from './pixels.ts'
import type { Preprocessing } from './preprocessing.ts'
import { resizeAndCrop } from './resize.ts'

/** The 256 values that a channel can take: fround(fround(fround(u8 / 255) - fround(mean)) / fround(std)). */
function normalised(mean: number, std: number): Float32Array {
  const m = Math.fround(mean)
  const s = Math.fround(std)
  return Float32Array.from({ length: 256 }, (_, v) => Math.fround(Math.fround(v / 255) - m) / s)
}

/**
 * What the vision tower sees: shorter side to `size` (Pillow's bicubic), centre crop, (v / 255 - mean) / std in float32.
 * image: (height, width, 3 or 4) uint8 -> (3, size, size) float32
 * @throws BareclipError INVALID_INPUT where the pixels are not RGB or RGBA bytes of that size
 */
export function preprocess(image: Pixels, preprocessing: Preprocessing): Float32Array {
  const { size, mean, std } = preprocessing
  const crop = resizeAndCrop(image.data, image.width, image.height, channelsOf(image), size)
  const area = size * size
  const out = new Float32Array(3 * area)
  for (let c = 0; c < 3; c++) {
    const table = normalised(mean[c]!, std[c]!)
    for (let i = 0, p = c; i < area; i++, p += 3) out[c * area + i] = table[crop[p]!]!
  }
  return out
}
