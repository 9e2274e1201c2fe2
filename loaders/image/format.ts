/** What a file is, told by its first bytes: an image format, or something else that people pass by mistake. */
export type FileFormat =
  | 'png'
  | 'jpeg'
  | 'gif'
  | 'bmp'
  | 'webp'
  | 'avif'
  | 'heic'
  | 'tiff'
  | 'ico'
  | 'jxl'
  | 'jp2'
  | 'psd'
  | 'svg'
  | 'pdf'
  | 'html'
  | 'text'
  | 'zip'
  | 'gzip'
  | 'video'
  | 'empty'
  | 'unknown'

/** For messages. */
export const formatNames: Record<FileFormat, string> = {
  png: 'a PNG image',
  jpeg: 'a JPEG image',
  gif: 'a GIF image',
  bmp: 'a BMP image',
  webp: 'a WebP image',
  avif: 'an AVIF image',
  heic: 'a HEIC image',
  tiff: 'a TIFF image',
  ico: 'an ICO icon',
  jxl: 'a JPEG XL image',
  jp2: 'a JPEG 2000 image',
  psd: 'a Photoshop document',
  svg: 'an SVG drawing',
  pdf: 'a PDF document',
  html: 'an HTML page',
  text: 'a text file',
  zip: 'a ZIP archive',
  gzip: 'a gzip archive',
  video: 'an MP4 video',
  empty: 'an empty file',
  unknown: 'a file of no known image format',
}

/** Formats other than PNG that a browser may be able to decode. */
export const mimeTypes: Partial<Record<FileFormat, string>> = {
  jpeg: 'image/jpeg',
  gif: 'image/gif',
  bmp: 'image/bmp',
  webp: 'image/webp',
  avif: 'image/avif',
  heic: 'image/heic',
  tiff: 'image/tiff',
  ico: 'image/x-icon',
  jxl: 'image/jxl',
}

const NOT_IMAGES: readonly FileFormat[] = ['pdf', 'html', 'text', 'zip', 'gzip', 'video', 'empty', 'unknown']

export const isImageFormat = (format: FileFormat): boolean => !NOT_IMAGES.includes(format)

/** Formats by the bytes they start with, written as Latin-1 text. */
const SIGNATURES: readonly (readonly [start: string, format: FileFormat])[] = [
  ['\x89PNG', 'png'],
  ['\xff\xd8', 'jpeg'],
  ['GIF87a', 'gif'],
  ['GIF89a', 'gif'],
  ['II*\0', 'tiff'],
  ['MM\0*', 'tiff'],
  ['II+\0', 'tiff'],
  ['MM\0+', 'tiff'],
  ['\0\0\x01\0', 'ico'],
  ['\0\0\x02\0', 'ico'],
  ['\xff\x0a', 'jxl'],
  ['\0\0\0\x0cJXL ', 'jxl'],
  ['\0\0\0\x0cjP  ', 'jp2'],
  ['\xff\x4f\xff\x51', 'jp2'],
  ['8BPS', 'psd'],
  ['%PDF-', 'pdf'],
  ['PK\x03\x04', 'zip'],
  ['\x1f\x8b', 'gzip'],
]

/** Sizes of the second header of a BMP; 'BM' alone may start a text. */
const BMP_HEADERS = [12, 40, 52, 56, 64, 108, 124]
/** Tab, line feed, form feed, carriage return, escape. */
const TEXT_CONTROLS = [9, 10, 12, 13, 27]

export const latin1 = (bytes: Uint8Array, start: number, end: number) =>
  String.fromCharCode(...bytes.subarray(start, end))

/** The format of a file from its content; its name plays no part. Reads the first kilobyte at most. */
export function sniff(bytes: Uint8Array): FileFormat {
  if (bytes.length === 0) return 'empty'
  const start = latin1(bytes, 0, 16)
  const match = SIGNATURES.find(([signature]) => start.startsWith(signature))
  if (match) return match[1]
  if (start.startsWith('RIFF') && start.slice(8, 12) === 'WEBP') return 'webp'
  if (start.startsWith('BM') && BMP_HEADERS.includes(bytes[14]!) && bytes[15] === 0) return 'bmp'
  if (start.slice(4, 8) === 'ftyp') {
    const brand = start.slice(8, 12)
    if (/^avi[fs]$/.test(brand)) return 'avif'
    return /^(hei|hev|mif1|msf1)/.test(brand) ? 'heic' : 'video'
  }
  return sniffText(bytes.subarray(0, 1024))
}

function sniffText(head: Uint8Array): 'svg' | 'html' | 'text' | 'unknown' {
  const utf16 = (head[0] === 0xff && head[1] === 0xfe) || (head[0] === 0xfe && head[1] === 0xff)
  if (utf16) return 'text'
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(head, { stream: true }) // stream: a last character may be cut
  } catch {
    return 'unknown'
  }
  if (head.some((byte) => byte < 32 && !TEXT_CONTROLS.includes(byte))) return 'unknown'
  const start = text.trimStart().toLowerCase()
  if (['<!doctype html', '<html', '<head', '<body'].some((tag) => start.startsWith(tag))) return 'html'
  return start.startsWith('<') && /<svg[\s>]/.test(start) ? 'svg' : 'text'
}
