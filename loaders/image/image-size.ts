import { type FileFormat, latin1, sniff } from './format.ts'
import { jpegSize } from './jpeg-segments.ts'
import { pngSize } from './png.ts'

interface Size {
  readonly width: number
  readonly height: number
}

function gifSize(view: DataView): Size {
  return { width: view.getUint16(6, true), height: view.getUint16(8, true) }
}

function bmpSize(view: DataView): Size {
  if (view.getUint32(14, true) === 12) return { width: view.getUint16(18, true), height: view.getUint16(20, true) }
  return { width: Math.abs(view.getInt32(18, true)), height: Math.abs(view.getInt32(22, true)) } // negative: top down
}

function webpSize(view: DataView, bytes: Uint8Array): Size | undefined {
  const uint24 = (at: number) => view.getUint16(at, true) | (view.getUint8(at + 2) << 16)
  switch (latin1(bytes, 12, 16)) {
    case 'VP8 ':
      return { width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff }
    case 'VP8L': {
      const bits = view.getUint32(21, true)
      return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 }
    }
    case 'VP8X':
      return { width: uint24(24) + 1, height: uint24(27) + 1 }
    default:
      return undefined
  }
}

/** The largest of the image spatial extents ('ispe') that an AVIF or HEIC file declares near its start. */
function heifSize(view: DataView, bytes: Uint8Array): Size | undefined {
  let found: Size | undefined
  const end = Math.min(bytes.length - 16, 65536)
  for (let at = bytes.indexOf(0x69); at >= 0 && at < end; at = bytes.indexOf(0x69, at + 1)) {
    if (latin1(bytes, at, at + 4) !== 'ispe') continue
    const size = { width: view.getUint32(at + 8), height: view.getUint32(at + 12) }
    if (!found || size.width * size.height > found.width * found.height) found = size
  }
  return found
}

/** Tags 256 and 257 of the first directory of a classic TIFF. */
function tiffSize(view: DataView): Size | undefined {
  const little = view.getUint8(0) === 0x49
  if (view.getUint16(2, little) !== 42) return undefined // BigTIFF
  const directory = view.getUint32(4, little)
  const size = { width: 0, height: 0 }
  for (let i = 0; i < view.getUint16(directory, little); i++) {
    const at = directory + 2 + 12 * i
    const tag = view.getUint16(at, little)
    if (tag !== 256 && tag !== 257) continue
    const isShort = view.getUint16(at + 2, little) === 3
    size[tag === 256 ? 'width' : 'height'] = isShort ? view.getUint16(at + 8, little) : view.getUint32(at + 8, little)
  }
  return size.width > 0 && size.height > 0 ? size : undefined
}

/** The largest of the pictures in an icon; 0 stands for 256. */
function icoSize(view: DataView): Size {
  const size = { width: 1, height: 1 }
  for (let i = 0; i < view.getUint16(4, true); i++) {
    size.width = Math.max(size.width, view.getUint8(6 + 16 * i) || 256)
    size.height = Math.max(size.height, view.getUint8(7 + 16 * i) || 256)
  }
  return size
}

const readers: Partial<Record<FileFormat, (view: DataView, bytes: Uint8Array) => Size | undefined>> = {
  png: (_, bytes) => pngSize(bytes),
  jpeg: (_, bytes) => jpegSize(bytes),
  gif: gifSize,
  bmp: bmpSize,
  webp: webpSize,
  avif: heifSize,
  heic: heifSize,
  tiff: tiffSize,
  ico: icoSize,
}

/**
 * Width and height that an image file's header declares, without decoding and without checking anything; undefined where
 * the format is not known or the header is cut or damaged.
 */
export function imageSize(bytes: Uint8Array): { format: FileFormat; width: number; height: number } | undefined {
  const format = sniff(bytes)
  try {
    const size = readers[format]?.(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), bytes)
    return size && { format, ...size }
  } catch (error) {
    if (error instanceof RangeError) return undefined // the header is cut
    throw error
  }
}
