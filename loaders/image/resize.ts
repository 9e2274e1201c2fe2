// Bicubic resampling with antialiasing in integers: bit for bit what Pillow's Resample.c computes for 8-bit images.

const PRECISION = 22
const HALF = 1 << (PRECISION - 1)

/** Outputs [first, first + count) of a resampled line: output i = sum over t of weights[i * stride + t] * in[starts[i] + t]. */
interface Taps {
  readonly starts: Int32Array
  readonly counts: Int32Array
  readonly weights: Int32Array
  readonly stride: number
}

/** Keys' cubic with a = -0.5. */
function cubic(x: number): number {
  const a = -0.5
  const d = Math.abs(x)
  if (d < 1) return ((a + 2) * d - (a + 3)) * d * d + 1
  if (d < 2) return (((d - 5) * d + 8) * d - 4) * a
  return 0
}

/** Resampling inSize to outSize, only for the outputs [first, first + count). */
function bicubicTaps(inSize: number, outSize: number, first: number, count: number): Taps {
  const scale = inSize / outSize
  const filterScale = Math.max(scale, 1)
  const support = 2 * filterScale
  const inverse = 1 / filterScale
  const stride = Math.min(Math.ceil(support) * 2 + 1, inSize)
  const starts = new Int32Array(count)
  const counts = new Int32Array(count)
  const weights = new Int32Array(count * stride)
  const line = new Float64Array(stride)
  for (let i = 0; i < count; i++) {
    const center = (first + i + 0.5) * scale
    const lo = Math.max(Math.trunc(center - support + 0.5), 0)
    const hi = Math.min(Math.trunc(center + support + 0.5), inSize)
    let sum = 0
    for (let t = 0; t < hi - lo; t++) {
      line[t] = cubic((lo + t - center + 0.5) * inverse)
      sum += line[t]!
    }
    for (let t = 0; t < hi - lo; t++) {
      const w = sum === 0 ? line[t]! : line[t]! / sum
      weights[i * stride + t] = Math.trunc(w * 2 ** PRECISION + (w < 0 ? -0.5 : 0.5))
    }
    starts[i] = lo
    counts[i] = hi - lo
  }
  return { starts, counts, weights, stride }
}

/** Rows [y0, y0 + rows) of image (height, width, channels) -> (rows, count, 3), each row resampled. */
function horizontal(
  image: Uint8Array | Uint8ClampedArray,
  width: number,
  channels: number,
  y0: number,
  rows: number,
  taps: Taps,
) {
  const { starts, counts, weights, stride } = taps
  const count = starts.length
  const out = new Uint8ClampedArray(rows * count * 3)
  let to = 0
  for (let y = y0; y < y0 + rows; y++) {
    const row = y * width * channels
    for (let i = 0; i < count; i++) {
      let p = row + starts[i]! * channels
      let r = HALF
      let g = HALF
      let b = HALF
      const k0 = i * stride
      const k1 = k0 + counts[i]!
      for (let k = k0; k < k1; k++) {
        const w = weights[k]!
        r = (r + Math.imul(w, image[p]!)) | 0
        g = (g + Math.imul(w, image[p + 1]!)) | 0
        b = (b + Math.imul(w, image[p + 2]!)) | 0
        p += channels
      }
      out[to] = r >> PRECISION
      out[to + 1] = g >> PRECISION
      out[to + 2] = b >> PRECISION
      to += 3
    }
  }
  return out
}

/** Rows [y0, y0 + rows) and columns [x0, x0 + columns) of image (height, width, channels) -> (rows, columns, 3). */
function cut(
  image: Uint8Array | Uint8ClampedArray,
  width: number,
  channels: number,
  y0: number,
  rows: number,
  x0: number,
  columns: number,
) {
  const out = new Uint8ClampedArray(rows * columns * 3)
  let to = 0
  for (let y = y0; y < y0 + rows; y++) {
    let p = (y * width + x0) * channels
    for (let x = 0; x < columns; x++, p += channels, to += 3) {
      out[to] = image[p]!
      out[to + 1] = image[p + 1]!
      out[to + 2] = image[p + 2]!
    }
  }
  return out
}

/** image: rows of lineLength bytes, the first of them row y0 of the source -> (taps' outputs, lineLength). */
function vertical(image: Uint8ClampedArray, lineLength: number, y0: number, taps: Taps): Uint8ClampedArray {
  const { starts, counts, weights, stride } = taps
  const out = new Uint8ClampedArray(starts.length * lineLength)
  const sums = new Int32Array(lineLength)
  for (let i = 0; i < starts.length; i++) {
    sums.fill(HALF)
    for (let t = 0; t < counts[i]!; t++) {
      const w = weights[i * stride + t]!
      const row = (starts[i]! - y0 + t) * lineLength
      for (let x = 0; x < lineLength; x++) sums[x] = sums[x]! + Math.imul(w, image[row + x]!)
    }
    for (let x = 0; x < lineLength; x++) out[i * lineLength + x] = sums[x]! >> PRECISION
  }
  return out
}

/** Half of an excess in pixels, an odd one rounded to the even neighbour, as Python's round does: 1 -> 0, 3 -> 2, 5 -> 2. */
function halfToEven(excess: number): number {
  const half = Math.floor(excess / 2)
  return excess % 2 === 0 ? half : half + (half % 2)
}

/**
 * Resizes the shorter side to `size` and crops size x size from the centre. Only what survives the crop is computed.
 * image: (height, width, channels), channels 3 (RGB) or 4 (RGBA, alpha dropped) -> (size, size, 3)
 */
export function resizeAndCrop(
  image: Uint8Array | Uint8ClampedArray,
  width: number,
  height: number,
  channels: 3 | 4,
  size: number,
): Uint8Array {
  const short = Math.min(width, height)
  const resizedWidth = width === short ? size : Math.trunc((size * width) / short)
  const resizedHeight = height === short ? size : Math.trunc((size * height) / short)
  const left = halfToEven(resizedWidth - size)
  const top = halfToEven(resizedHeight - size)

  const down = resizedHeight === height ? undefined : bicubicTaps(height, resizedHeight, top, size)
  const y0 = down ? down.starts[0]! : top
  const rows = down ? down.starts[size - 1]! + down.counts[size - 1]! - y0 : size
  const across =
    resizedWidth === width
      ? cut(image, width, channels, y0, rows, left, size)
      : horizontal(image, width, channels, y0, rows, bicubicTaps(width, resizedWidth, left, size))
  const crop = down ? vertical(across, size * 3, y0, down) : across
  return new Uint8Array(crop.buffer)
}
