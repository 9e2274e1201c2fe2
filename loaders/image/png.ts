import { BareclipError, messageOf } from '../../runtime/errors.ts'
import { crc32 } from './crc32.ts'
import type { RgbPixels } from './pixels.ts'
import { inflatedSize, type PngHeader, rowReader } from './png-rows.ts'

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]
const MAX_SIDE = 2 ** 31 - 1
/** Bytes of deflated data handed over at a time. */
const INPUT_PART = 32768

/** Bit depths by colour type (PNG specification, table 11.1). */
const BIT_DEPTHS: Record<number, readonly number[]> = {
  0: [1, 2, 4, 8, 16],
  2: [8, 16],
  3: [1, 2, 4, 8],
  4: [8, 16],
  6: [8, 16],
}

function invalid(message: string, cause?: unknown): BareclipError {
  return new BareclipError('INVALID_IMAGE', `the PNG is damaged: ${message}`, cause === undefined ? {} : { cause })
}

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** Width and height as the header says, nothing checked; undefined where the file is too short or does not start so. */
export function pngSize(bytes: Uint8Array): { width: number; height: number } | undefined {
  if (bytes.length < 24 || SIGNATURE.some((b, i) => bytes[i] !== b)) return undefined
  const view = viewOf(bytes)
  return { width: view.getUint32(16), height: view.getUint32(20) }
}

interface Chunk {
  readonly type: string
  /** Of the chunk's data in the file. */
  readonly start: number
  readonly end: number
}

/** The critical chunks up to IEND, their CRCs checked. Ancillary chunks are passed over unread. */
function* criticalChunks(bytes: Uint8Array): Generator<Chunk> {
  if (SIGNATURE.some((b, i) => bytes[i] !== b)) throw invalid('its first 8 bytes are not the PNG signature')
  const view = viewOf(bytes)
  for (let at = SIGNATURE.length; at + 12 <= bytes.length; ) {
    const start = at + 8
    const end = start + view.getUint32(at)
    const type = String.fromCharCode(...bytes.subarray(at + 4, start))
    if (!/^[A-Za-z]{4}$/.test(type)) throw invalid(`a chunk at byte ${at} has no valid name`)
    if (end + 4 > bytes.length) throw invalid(`it ends inside its ${type} chunk: the file is cut short`)
    if (type < 'a') {
      if (crc32(bytes, at + 4, end) !== view.getUint32(end)) throw invalid(`the checksum of its ${type} chunk is wrong`)
      yield { type, start, end }
      if (type === 'IEND') return
    }
    at = end + 4
  }
  throw invalid('it ends before its IEND chunk: the file is cut short')
}

function readHeader(bytes: Uint8Array, { start, end }: Chunk): PngHeader {
  if (end - start !== 13) throw invalid(`its header has ${end - start} bytes, not 13`)
  const view = viewOf(bytes)
  const [bitDepth, colorType, compression, filter, interlace] = bytes.subarray(start + 8, end)
  const header = {
    width: view.getUint32(start),
    height: view.getUint32(start + 4),
    bitDepth: bitDepth!,
    colorType: colorType!,
    interlaced: interlace === 1,
  }
  const { width, height } = header
  if (width === 0 || height === 0 || width > MAX_SIDE || height > MAX_SIDE) {
    throw invalid(`its header says ${width} x ${height} pixels`)
  }
  if (!BIT_DEPTHS[header.colorType]?.includes(header.bitDepth)) {
    throw invalid(`there is no colour type ${colorType} with ${bitDepth} bits`)
  }
  if (compression !== 0 || filter !== 0 || interlace! > 1) {
    throw invalid(`compression ${compression}, filter ${filter}, interlace ${interlace}: expected 0, 0, and 0 or 1`)
  }
  return header
}

interface PngFile {
  readonly header: PngHeader
  /** (entries, 3) */
  readonly palette: Uint8Array | undefined
  /** The deflated image data, in pieces that follow each other. */
  readonly data: readonly Uint8Array[]
}

function readChunks(bytes: Uint8Array): PngFile {
  let header: PngHeader | undefined
  let palette: Uint8Array | undefined
  const data: Uint8Array[] = []
  let dataEnd = 0
  for (const chunk of criticalChunks(bytes)) {
    const { type, start, end } = chunk
    if (!header && type !== 'IHDR') {
      if (type === 'CgBI') {
        throw new BareclipError(
          'UNSUPPORTED_IMAGE',
          "found Apple's own variant of PNG (CgBI): save it as a standard PNG",
        )
      }
      throw invalid(`its first chunk is ${type}, not IHDR`)
    }
    if (type === 'IHDR') {
      if (header) throw invalid('it has two headers')
      header = readHeader(bytes, chunk)
    } else if (type === 'PLTE') {
      const length = end - start
      if (palette) throw invalid('it has two palettes')
      if (data.length > 0) throw invalid('its palette follows its image data')
      if (length === 0 || length % 3 !== 0 || length > 768) throw invalid(`its palette has ${length} bytes`)
      palette = bytes.subarray(start, end)
    } else if (type === 'IDAT') {
      if (data.length > 0 && dataEnd !== start - 12) throw invalid('its image data is in two places')
      dataEnd = end
      data.push(bytes.subarray(start, end))
    } else if (type !== 'IEND') {
      throw new BareclipError(
        'UNSUPPORTED_IMAGE',
        `the PNG needs an extension to be read, its ${type} chunk: save it as a standard PNG`,
      )
    }
  }
  if (!header) throw invalid('it has no header')
  if (header.colorType === 3 && !palette) throw invalid('it has no palette')
  if (data.length === 0) throw invalid('it has no image data')
  return { header, palette, data }
}

/**
 * Small parts, because some platforms inflate all of a part at once, up to 1032 times its size. Copies, because streams
 * refuse views of shared memory.
 */
function* inputParts(pieces: readonly Uint8Array[]): Generator<Uint8Array<ArrayBuffer>> {
  for (const piece of pieces) {
    for (let at = 0; at < piece.length; at += INPUT_PART) yield new Uint8Array(piece.subarray(at, at + INPUT_PART))
  }
}

/** Inflates until `take` says that it has enough. */
async function inflate(
  pieces: readonly Uint8Array[],
  take: (piece: Uint8Array) => boolean,
  signal: AbortSignal | undefined,
): Promise<void> {
  const parts = inputParts(pieces)
  const source = new ReadableStream<BufferSource>({
    pull(controller) {
      const { value, done } = parts.next()
      if (done) controller.close()
      else controller.enqueue(value)
    },
  })
  const reader = source.pipeThrough(new DecompressionStream('deflate')).getReader()
  try {
    for (;;) {
      signal?.throwIfAborted()
      const { done, value } = await reader.read().catch((cause: unknown) => {
        throw invalid(`its image data does not inflate (${messageOf(cause)})`, cause)
      })
      if (done) throw invalid('it has too little image data for its size')
      if (take(value)) return
    }
  } finally {
    reader.cancel().catch(() => undefined)
  }
}

/**
 * A PNG of any colour type, bit depth and interlacing as RGB (height, width, 3), converted as Pillow's convert('RGB') does:
 * alpha and tRNS are dropped, not blended; of 16-bit RGB the high byte is kept; 16-bit grey is clipped at 255; gAMA and
 * colour profiles are ignored. Memory: the result and two rows.
 * @throws BareclipError INVALID_IMAGE, UNSUPPORTED_IMAGE
 */
export async function decodePng(bytes: Uint8Array, signal?: AbortSignal): Promise<RgbPixels> {
  const { header, palette, data } = readChunks(bytes)
  const { width, height } = header
  // Deflate cannot shrink by more than 1032 times, so a small file cannot make us allocate for a large header.
  const compressed = data.reduce((sum, piece) => sum + piece.length, 0)
  if (compressed * 1032 < inflatedSize(header)) throw invalid('it has too little image data for its size')
  const rgb = new Uint8Array(width * height * 3)
  await inflate(data, rowReader(header, palette, rgb), signal)
  return { data: rgb, width, height }
}
