import { deflateSync } from 'node:zlib'
import { concat } from './support.ts'

export const PNG_SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]

const uint32 = (n: number) => [n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255]

/** CRC-32 bit by bit, as the PNG specification defines it. */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
  }
  return ~crc >>> 0
}

export function chunk(type: string, data: Uint8Array | readonly number[] = []): Uint8Array {
  const body = concat(type, data)
  return concat(uint32(data.length), body, uint32(crc32(body)))
}

export interface PngOptions {
  readonly width: number
  readonly height: number
  readonly bitDepth?: number
  /** 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGBA */
  readonly colorType?: number
  readonly interlaced?: boolean
  /** Sample c of pixel (x, y), up to 2^bitDepth - 1. */
  readonly sample?: (x: number, y: number, c: number) => number
  /** Filter of row y of a pass, 0 to 4. */
  readonly filter?: (y: number) => number
  readonly palette?: readonly number[]
  /** Chunks between the header and the data. */
  readonly extra?: readonly Uint8Array[]
  /** In place of the deflated rows. */
  readonly data?: Uint8Array
  /** Bytes of the data in each IDAT chunk. */
  readonly pieces?: number
}

export const samplesPerPixel = (colorType: number): number => ({ 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 })[colorType] ?? 1

export function header(width: number, height: number, bitDepth = 8, colorType = 2, rest = [0, 0, 0]): Uint8Array {
  return chunk('IHDR', [...uint32(width), ...uint32(height), bitDepth, colorType, ...rest])
}

/** A PNG written straight from the specification, with any filters, interlaced or not. */
export function writePng(options: PngOptions): Uint8Array {
  const { width, height, bitDepth = 8, colorType = 2, interlaced = false, palette, extra = [] } = options
  const data = options.data ?? new Uint8Array(deflateSync(writeRows(options)))
  const pieces: Uint8Array[] = []
  const size = options.pieces ?? data.length
  for (let at = 0; at < data.length; at += size) pieces.push(chunk('IDAT', data.subarray(at, at + size)))
  return concat(
    PNG_SIGNATURE,
    header(width, height, bitDepth, colorType, [0, 0, interlaced ? 1 : 0]),
    ...(palette ? [chunk('PLTE', palette)] : []),
    ...extra,
    ...pieces,
    chunk('IEND'),
  )
}

/** Origin and spacing of the pixels of each pass. */
const ADAM7 = [
  { x0: 0, y0: 0, dx: 8, dy: 8 },
  { x0: 4, y0: 0, dx: 8, dy: 8 },
  { x0: 0, y0: 4, dx: 4, dy: 8 },
  { x0: 2, y0: 0, dx: 4, dy: 4 },
  { x0: 0, y0: 2, dx: 2, dy: 4 },
  { x0: 1, y0: 0, dx: 2, dy: 2 },
  { x0: 0, y0: 1, dx: 1, dy: 2 },
]

export function writeRows(options: PngOptions): Uint8Array {
  const { width, height, bitDepth = 8, colorType = 2, sample = () => 0, filter = () => 0 } = options
  const channels = samplesPerPixel(colorType)
  const step = Math.max(1, (bitDepth * channels) / 8)
  const out: number[] = []
  for (const { x0, y0, dx, dy } of options.interlaced ? ADAM7 : [{ x0: 0, y0: 0, dx: 1, dy: 1 }]) {
    if (x0 >= width) continue
    let above: number[] = []
    for (let y = y0, row = 0; y < height; y += dy, row++) {
      let bits = ''
      for (let x = x0; x < width; x += dx) {
        for (let c = 0; c < channels; c++) bits += sample(x, y, c).toString(2).padStart(bitDepth, '0')
      }
      const line = (bits.match(/.{1,8}/g) ?? []).map((byte) => Number.parseInt(byte.padEnd(8, '0'), 2))
      out.push(filter(row), ...line.map((value, i) => value - predict(filter(row), line, above, i, step)))
      above = line
    }
  }
  return Uint8Array.from(out)
}

function predict(filter: number, line: number[], above: number[], i: number, step: number): number {
  const left = line[i - step] ?? 0
  const up = above[i] ?? 0
  const upLeft = i < step ? 0 : (above[i - step] ?? 0)
  const estimate = left + up - upLeft
  const nearest = [left, up, upLeft].reduce((a, b) => (Math.abs(estimate - b) < Math.abs(estimate - a) ? b : a))
  return [0, left, up, Math.floor((left + up) / 2), nearest][filter] ?? 0
}
