import { BareclipError, describe } from '../../runtime/errors.ts'

/** Pixels row by row from the top left, 8 bits a channel. data: (height, width, 3) RGB or (height, width, 4) RGBA. */
export interface Pixels {
  readonly data: Uint8Array | Uint8ClampedArray
  readonly width: number
  readonly height: number
}

/** What the decoders make. data: (height, width, 3) RGB. */
export interface RgbPixels {
  readonly data: Uint8Array
  readonly width: number
  readonly height: number
}

const isPixelCount = (value: unknown): value is number => Number.isInteger(value) && (value as number) > 0

export function isByteArray(value: unknown): value is Uint8Array | Uint8ClampedArray {
  if (!ArrayBuffer.isView(value)) return false
  const tag = (value as unknown as Record<symbol, unknown>)[Symbol.toStringTag] // true for arrays of another realm too
  return tag === 'Uint8Array' || tag === 'Uint8ClampedArray'
}

/**
 * 3 for RGB, 4 for RGBA.
 * @throws BareclipError INVALID_INPUT where width, height or data do not describe such pixels
 */
export function channelsOf({ data, width, height }: { data?: unknown; width?: unknown; height?: unknown }): 3 | 4 {
  for (const [name, value] of [
    ['width', width],
    ['height', height],
  ]) {
    if (!isPixelCount(value)) {
      throw new BareclipError(
        'INVALID_INPUT',
        `pixels need a ${name} that is a positive integer, got ${describe(value)}`,
      )
    }
  }
  if (!isByteArray(data)) {
    throw new BareclipError(
      'INVALID_INPUT',
      `pixels need data that is a Uint8Array or Uint8ClampedArray of RGB or RGBA bytes, got ${describe(data)}`,
    )
  }
  const count = (width as number) * (height as number)
  if (data.length === count * 3) return 3
  if (data.length === count * 4) return 4
  throw new BareclipError(
    'INVALID_INPUT',
    `pixels of ${width} x ${height} need ${count * 3} bytes (RGB) or ${count * 4} (RGBA), got ${data.length}`,
  )
}

/** (height, width, 3 or 4) -> (height, width, 3). Alpha is dropped, not blended. RGB is returned as a view, not copied. */
export function toRgb(pixels: Pixels): Uint8Array {
  const { data } = pixels
  if (channelsOf(pixels) === 3) {
    return data instanceof Uint8Array ? data : new Uint8Array(data.buffer, data.byteOffset, data.length)
  }
  const rgb = new Uint8Array((data.length / 4) * 3)
  for (let from = 0, to = 0; to < rgb.length; from += 4, to += 3) {
    rgb[to] = data[from]!
    rgb[to + 1] = data[from + 1]!
    rgb[to + 2] = data[from + 2]!
  }
  return rgb
}
