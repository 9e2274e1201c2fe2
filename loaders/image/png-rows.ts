import { BareclipError } from '../../runtime/errors.ts'

export interface PngHeader {
  readonly width: number
  readonly height: number
  /** 1, 2, 4, 8 or 16 bits a sample. */
  readonly bitDepth: number
  /** 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGBA. */
  readonly colorType: number
  readonly interlaced: boolean
}

/** One of Adam7's seven reduced images, or the whole image. Pixel (x, y) of it is at (x0 + x dx, y0 + y dy). */
interface Pass {
  readonly width: number
  readonly height: number
  readonly x0: number
  readonly y0: number
  readonly dx: number
  readonly dy: number
}

const ADAM7 = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const

function passesOf({ width, height, interlaced }: PngHeader): Pass[] {
  if (!interlaced) return [{ width, height, x0: 0, y0: 0, dx: 1, dy: 1 }]
  return ADAM7.map(([x0, y0, dx, dy]) => ({
    width: Math.ceil((width - x0) / dx),
    height: Math.ceil((height - y0) / dy),
    x0,
    y0,
    dx,
    dy,
  })).filter((pass) => pass.width > 0 && pass.height > 0)
}

const samplesPerPixel = (colorType: number) => [1, 0, 3, 1, 2, 0, 4][colorType]!

function invalid(message: string): BareclipError {
  return new BareclipError('INVALID_IMAGE', `the PNG is damaged: ${message}`)
}

/** Undoes a row's filter in place; row and above: the row's bytes without the filter byte; step: bytes a whole pixel. */
function unfilter(filter: number, row: Uint8Array, above: Uint8Array, step: number): void {
  const n = row.length
  switch (filter) {
    case 0:
      return
    case 1:
      for (let i = step; i < n; i++) row[i] = row[i]! + row[i - step]!
      return
    case 2:
      for (let i = 0; i < n; i++) row[i] = row[i]! + above[i]!
      return
    case 3:
      for (let i = 0; i < step; i++) row[i] = row[i]! + (above[i]! >> 1)
      for (let i = step; i < n; i++) row[i] = row[i]! + ((row[i - step]! + above[i]!) >> 1)
      return
    case 4:
      for (let i = 0; i < step; i++) row[i] = row[i]! + above[i]!
      for (let i = step; i < n; i++) {
        const a = row[i - step]!
        const b = above[i]!
        const c = above[i - step]!
        const da = Math.abs(b - c) // distances of a, b and c from a + b - c
        const db = Math.abs(a - c)
        const dc = Math.abs(a + b - c - c)
        row[i] = row[i]! + (da <= db && da <= dc ? a : db <= dc ? b : c)
      }
      return
    default:
      throw invalid(`a row has filter ${filter}, filters go from 0 to 4`)
  }
}

/** Writes `width` pixels of an unfiltered row to rgb[to], rgb[to + step], … */
type Expand = (row: Uint8Array, width: number, rgb: Uint8Array, to: number, step: number) => void

/** Samples of less than 8 bits, and palettes: a table of RGB values by sample. table: (entries, 3) */
function expandTable(bitDepth: number, table: Uint8Array): Expand {
  const entries = table.length / 3
  const mask = (1 << bitDepth) - 1
  return (row, width, rgb, to, step) => {
    for (let x = 0, bit = 0; x < width; x++, bit += bitDepth, to += step) {
      const v = (row[bit >> 3]! >> (8 - bitDepth - (bit & 7))) & mask
      if (v >= entries) throw invalid(`a pixel has colour ${v} of a palette of ${entries}`)
      rgb[to] = table[v * 3]!
      rgb[to + 1] = table[v * 3 + 1]!
      rgb[to + 2] = table[v * 3 + 2]!
    }
  }
}

/** Reads RGB at offsets r, g, b of every `size` bytes: alpha and low bytes are dropped, grey is replicated. */
function expandBytes(size: number, g: number, b: number): Expand {
  return (row, width, rgb, to, step) => {
    for (let x = 0, from = 0; x < width; x++, from += size, to += step) {
      rgb[to] = row[from]!
      rgb[to + 1] = row[from + g]!
      rgb[to + 2] = row[from + b]!
    }
  }
}

/** 16-bit grey, clipped at 255: what Pillow's conversion from I;16 to RGB does. */
const expandGrey16: Expand = (row, width, rgb, to, step) => {
  for (let x = 0; x < width; x++, to += step) {
    const v = row[2 * x] === 0 ? row[2 * x + 1]! : 255
    rgb[to] = v
    rgb[to + 1] = v
    rgb[to + 2] = v
  }
}

function greyTable(bitDepth: number): Uint8Array {
  const top = (1 << bitDepth) - 1
  return Uint8Array.from({ length: (top + 1) * 3 }, (_, i) => (Math.floor(i / 3) * 255) / top)
}

function expanderOf({ bitDepth, colorType }: PngHeader, palette: Uint8Array | undefined): Expand {
  const bytes = bitDepth / 8
  if (colorType === 3) return expandTable(bitDepth, palette ?? new Uint8Array(0))
  if (colorType === 0 && bitDepth < 8) return expandTable(bitDepth, greyTable(bitDepth))
  if (colorType === 0 && bitDepth === 16) return expandGrey16
  if (colorType === 0 || colorType === 4) return expandBytes(bytes * samplesPerPixel(colorType), 0, 0)
  return expandBytes(bytes * samplesPerPixel(colorType), bytes, 2 * bytes)
}

/** Bytes that the inflated image data of this header has, filter bytes included. */
export function inflatedSize(header: PngHeader): number {
  const bits = header.bitDepth * samplesPerPixel(header.colorType)
  return passesOf(header).reduce((sum, { width, height }) => sum + height * (1 + Math.ceil((width * bits) / 8)), 0)
}

/**
 * Takes inflated image data piece by piece and fills rgb (height, width, 3). The function returned is given a piece and
 * says whether the image is complete; bytes after that are left alone.
 */
export function rowReader(header: PngHeader, palette: Uint8Array | undefined, rgb: Uint8Array) {
  const bits = header.bitDepth * samplesPerPixel(header.colorType)
  const step = Math.max(1, bits >> 3)
  const expand = expanderOf(header, palette)
  const passes = passesOf(header)
  const lineLength = (pass: Pass) => 1 + Math.ceil((pass.width * bits) / 8)

  let passIndex = 0
  let pass = passes[0]!
  let y = 0
  let filled = 0 // bytes of line
  let line = new Uint8Array(lineLength(pass))
  let above = new Uint8Array(line.length)

  function endLine(): boolean {
    const row = line.subarray(1)
    unfilter(line[0]!, row, above.subarray(1), step)
    expand(row, pass.width, rgb, ((pass.y0 + y * pass.dy) * header.width + pass.x0) * 3, pass.dx * 3)
    filled = 0
    y++
    ;[line, above] = [above, line]
    if (y < pass.height) return false
    if (++passIndex === passes.length) return true
    pass = passes[passIndex]!
    y = 0
    line = new Uint8Array(lineLength(pass))
    above = new Uint8Array(line.length)
    return false
  }

  return (piece: Uint8Array): boolean => {
    for (let at = 0; at < piece.length; ) {
      const take = Math.min(piece.length - at, line.length - filled)
      line.set(piece.subarray(at, at + take), filled)
      filled += take
      at += take
      if (filled === line.length && endLine()) return true
    }
    return false
  }
}
