import type { Platform } from '../../platform/platform.ts'
import { BareclipError, describe, messageOf } from '../../runtime/errors.ts'
import { type FileFormat, formatNames, isImageFormat, mimeTypes, sniff } from './format.ts'
import { imageSize } from './image-size.ts'
import { decodeJpeg } from './jpeg.ts'
import { parseJpeg } from './jpeg-file.ts'
import { withoutOrientation } from './orientation.ts'
import { isByteArray, type Pixels, type RgbPixels, toRgb } from './pixels.ts'
import { decodePng } from './png.ts'

/** An image file's content, or pixels. An ImageData is Pixels. */
export type ImageInput = Uint8Array | ArrayBuffer | Blob | Pixels

export interface DecodeOptions {
  /**
   * An image file that declares more pixels is refused before it is decoded. Default: 24 megapixels for a JPEG where the
   * platform brings no decoder (the one in JavaScript takes up to 15 bytes a pixel), else 100 megapixels.
   */
  maxPixels?: number | undefined
  /**
   * Asked first for every file, with the format its first bytes tell ('png', 'jpeg', 'webp', 'tiff', …, 'unknown'). To
   * leave a format to bareclip, return undefined.
   */
  decode?: ((bytes: Uint8Array, format: string) => Promise<Pixels | undefined> | Pixels | undefined) | undefined
  signal?: AbortSignal | undefined
}

export interface DecodedImage extends RgbPixels {
  /** 'png', 'jpeg', …, or 'pixels' for an input that was pixels. */
  readonly format: string
}

const MEGA = 1e6
const JPEG_LIMIT = 24 * MEGA
const LIMIT = 100 * MEGA
const ADVICE = 'convert it to PNG or JPEG, or pass the decode option, or pixels { data, width, height }'
const EXPECTED = "an image file's bytes (Uint8Array, ArrayBuffer or Blob) or pixels { data, width, height }"

/** Formats that every browser decodes, so that a failure means a damaged file. */
const EVERY_BROWSER: readonly FileFormat[] = ['jpeg', 'gif', 'bmp', 'webp', 'ico']

const tagOf = (value: unknown) => Object.prototype.toString.call(value).slice(8, -1)

const isFileBytes = (value: unknown): value is Uint8Array => isByteArray(value) && tagOf(value) === 'Uint8Array'

/** The bytes of a file, or the pixels, from whatever a caller passed. */
async function readInput(input: ImageInput): Promise<Uint8Array | Pixels> {
  const value: unknown = input
  const tag = tagOf(value)
  if (isFileBytes(value)) return value
  if (tag === 'ArrayBuffer' || tag === 'SharedArrayBuffer') return new Uint8Array(value as ArrayBuffer)
  if ((tag === 'Blob' || tag === 'File') && typeof (value as Blob).arrayBuffer === 'function') {
    const buffer = await (value as Blob).arrayBuffer().catch((cause: unknown) => {
      throw new BareclipError('READ_FAILED', `cannot read the image's Blob: ${messageOf(cause)}`, { cause })
    })
    return new Uint8Array(buffer)
  }
  if (typeof value === 'object' && value !== null && 'data' in value && 'width' in value) return value as Pixels
  const hint =
    typeof value === 'string'
      ? ': a path or URL is not opened here, read the file first'
      : ArrayBuffer.isView(value)
        ? ': for a view of file bytes pass a Uint8Array on the same buffer'
        : ''
  throw new BareclipError('INVALID_INPUT', `expected ${EXPECTED}, got ${describe(value)}${hint}`)
}

function checkSize(format: FileFormat, size: { width: number; height: number } | undefined, maxPixels: number): void {
  if (!size) return
  const { width, height } = size
  if (width === 0 || height === 0) {
    throw new BareclipError('INVALID_IMAGE', `${formatNames[format]} of ${width} x ${height} pixels holds no picture`)
  }
  if (width * height <= maxPixels) return
  const mega = (n: number) => (n < 1e5 ? `${n} pixels` : `${Math.round(n / 1e4) / 100} megapixels`)
  throw new BareclipError(
    'IMAGE_TOO_LARGE',
    `${formatNames[format]} of ${width} x ${height} pixels (${mega(width * height)}) is over the limit of ` +
      `${mega(maxPixels)}: make it smaller, or raise the maxPixels option`,
  )
}

function notDecoded(format: FileFormat): BareclipError {
  if (!isImageFormat(format)) {
    const start = format === 'empty' ? '' : ': pass the content of a PNG or JPEG file'
    return new BareclipError('INVALID_IMAGE', `expected an image, found ${formatNames[format]}${start}`)
  }
  return new BareclipError('UNSUPPORTED_IMAGE', `found ${formatNames[format]}, which is not decoded here: ${ADVICE}`)
}

async function decodeOnPlatform(
  bytes: Uint8Array,
  format: FileFormat,
  mimeType: string,
  platform: NonNullable<Platform['decodeImage']>,
): Promise<Pixels> {
  try {
    return await platform(bytes, mimeType)
  } catch (cause) {
    if (EVERY_BROWSER.includes(format)) {
      const message = `${formatNames[format]} could not be decoded, it may be damaged: ${messageOf(cause)}`
      throw new BareclipError('INVALID_IMAGE', message, { cause })
    }
    const message = `found ${formatNames[format]}, which this platform did not decode (${messageOf(cause)}): ${ADVICE}`
    throw new BareclipError('UNSUPPORTED_IMAGE', message, { cause })
  }
}

/** What the decode option makes of a file; undefined where it leaves the file to us. */
async function decodeWithOption(
  bytes: Uint8Array,
  format: FileFormat,
  decode: NonNullable<DecodeOptions['decode']>,
): Promise<Pixels | undefined> {
  const pixels: unknown = await decode(bytes, format)
  if (pixels === undefined || (typeof pixels === 'object' && pixels !== null)) return pixels as Pixels | undefined
  const wanted = 'pixels { data, width, height } or undefined'
  throw new BareclipError('INVALID_INPUT', `expected the decode option to give ${wanted}, got ${describe(pixels)}`)
}

async function decodeFile(
  bytes: Uint8Array,
  format: FileFormat,
  platform: Platform['decodeImage'],
  { maxPixels, decode, signal }: DecodeOptions,
): Promise<Pixels> {
  const limit = maxPixels ?? LIMIT
  const size = imageSize(bytes)
  if (decode && format !== 'empty') {
    checkSize(format, size, limit)
    const pixels = await decodeWithOption(bytes, format, decode)
    signal?.throwIfAborted()
    if (pixels && !size) checkSize(format, pixels, limit)
    if (pixels) return pixels
  }
  if (format === 'png') {
    checkSize(format, size, limit)
    return decodePng(bytes, signal)
  }
  if (format === 'jpeg') {
    checkSize(format, size, platform ? limit : (maxPixels ?? JPEG_LIMIT))
    const file = parseJpeg(bytes)
    // Browsers differ in how they turn CMYK into RGB.
    if (!platform || file.components.length === 4) {
      checkSize(format, size, maxPixels ?? JPEG_LIMIT)
      return decodeJpeg(bytes, file, signal)
    }
  }
  const mimeType = mimeTypes[format]
  if (!platform || !mimeType) throw notDecoded(format)
  checkSize(format, size, limit)
  const pixels = await decodeOnPlatform(withoutOrientation(bytes, format), format, mimeType, platform)
  if (!size) checkSize(format, pixels, limit)
  return pixels
}

/** decodeImage with the platform's decoder as an argument: undefined where there is none. */
export async function decodeImageWith(
  platform: Platform['decodeImage'],
  input: ImageInput,
  options: DecodeOptions = {},
): Promise<DecodedImage> {
  const { maxPixels, decode, signal } = options
  signal?.throwIfAborted()
  if (maxPixels !== undefined && !(typeof maxPixels === 'number' && maxPixels > 0)) {
    const message = `expected maxPixels to be a positive number, got ${describe(maxPixels)}`
    throw new BareclipError('INVALID_ARGUMENT', message)
  }
  if (decode !== undefined && typeof decode !== 'function') {
    throw new BareclipError('INVALID_ARGUMENT', `expected decode to be a function, got ${describe(decode)}`)
  }
  const content = await readInput(input)
  signal?.throwIfAborted()
  if (!isFileBytes(content)) return asDecoded(content, 'pixels')
  const format = sniff(content)
  const pixels = await decodeFile(content, format, platform, options)
  signal?.throwIfAborted()
  return asDecoded(pixels, format)
}

function asDecoded(pixels: Pixels, format: string): DecodedImage {
  return { data: toRgb(pixels), width: pixels.width, height: pixels.height, format }
}
