import type { ReferenceKernel } from '../../runtime/reference/kernel.ts'
import type { PatchEmbedParameters } from './patch-embed.ts'

export const patchEmbedReference: ReferenceKernel<PatchEmbedParameters> = (
  { pixels, patch, weight, bias, classToken, position, y },
  access,
) => {
  const [, , size = 0] = pixels.shape
  const [rows = 0, hidden = 0] = y.shape
  const grid = Math.floor(size / patch)
  const tokens = 1 + grid * grid
  const width = 3 * patch * patch
  const xs = access.f32(pixels)
  const weights = access.floats(weight)
  const ws = weights.array ?? new Float32Array(hidden * width)
  if (!weights.array) weights.copy(0, ws.length, ws)
  const shift = access.f32(bias)
  const cls = access.f32(classToken)
  const place = access.f32(position)
  const ys = access.f32(y)
  const patchPixels = new Float32Array(width)

  return {
    units: rows,
    run(from, to) {
      for (let row = from; row < to; row++) {
        const image = Math.floor(row / tokens)
        const token = row % tokens
        if (token > 0) {
          gather(xs, image, size, patch, Math.floor((token - 1) / grid), (token - 1) % grid, patchPixels)
        }
        for (let h = 0; h < hidden; h++) {
          const value = token === 0 ? cls[h]! : dot(patchPixels, ws, h * width) + shift[h]!
          ys[row * hidden + h] = value + place[token * hidden + h]!
        }
      }
    },
  }
}

/** One patch of an image (3, size, size) in the order of the weight: channel, row, column. */
function gather(
  xs: Float32Array,
  image: number,
  size: number,
  patch: number,
  row: number,
  column: number,
  target: Float32Array,
): void {
  let at = 0
  for (let channel = 0; channel < 3; channel++) {
    for (let dy = 0; dy < patch; dy++) {
      const start = ((image * 3 + channel) * size + row * patch + dy) * size + column * patch
      for (let dx = 0; dx < patch; dx++) target[at++] = xs[start + dx]!
    }
  }
}

function dot(xs: Float32Array, ws: Float32Array, w0: number): number {
  let sum = 0
  for (let k = 0; k < xs.length; k++) sum += xs[k]! * ws[w0 + k]!
  return sum
}
