import { BareclipError } from '../../runtime/errors.ts'
import {
  DHT,
  DQT,
  DRI,
  invalidJpeg,
  isFrame,
  type JpegSegment,
  SOF2,
  SOI,
  SOS,
  segmentsOf,
  uint16,
} from './jpeg-segments.ts'

export interface JpegComponent {
  readonly id: number
  /** Sampling factors, 1 to 4. */
  readonly h: number
  readonly v: number
  /** Id of its quantization table. */
  readonly quantization: number
}

export interface JpegFile {
  readonly width: number
  readonly height: number
  readonly progressive: boolean
  readonly components: readonly JpegComponent[]
  readonly hasJfif: boolean
  /** Of the Adobe APP14 segment: 0 as stored, 1 YCbCr, 2 YCCK. */
  readonly adobeTransform: number | undefined
  /** Those that decoding needs, in order: tables, frame header, scans. */
  readonly segments: readonly JpegSegment[]
}

const APP0 = 0xe0
const APP14 = 0xee

/** Enough for any encoder; each scan costs a pass over the whole image, however few bytes it has. */
const MAX_SCANS = 100

export function unsupportedJpeg(what: string): BareclipError {
  return new BareclipError(
    'UNSUPPORTED_IMAGE',
    `found a JPEG ${what}, which is not decoded here: save it as a baseline or progressive JPEG, or as a PNG`,
  )
}

function readFrame(bytes: Uint8Array, { marker, start, end }: JpegSegment) {
  if (marker > SOF2) {
    const coding =
      marker > 0xc8 ? 'with arithmetic coding' : marker === 0xc3 ? 'with lossless coding' : 'in hierarchical form'
    throw unsupportedJpeg(coding)
  }
  const count = bytes[start + 5]
  if (count === undefined || end - start !== 6 + 3 * count) throw invalidJpeg('its frame header has the wrong length')
  const precision = bytes[start]!
  const height = uint16(bytes, start + 1)
  const width = uint16(bytes, start + 3)
  if (width === 0 || height === 0) throw invalidJpeg(`its frame header says ${width} x ${height} pixels`)
  if (precision !== 8) throw unsupportedJpeg(`with ${precision} bits a sample`)
  if (![1, 3, 4].includes(count)) throw unsupportedJpeg(`with ${count} colour components`)
  const components: JpegComponent[] = []
  for (let at = start + 6; at < end; at += 3) {
    const id = bytes[at]!
    const h = bytes[at + 1]! >> 4
    const v = bytes[at + 1]! & 15
    if (h < 1 || h > 4 || v < 1 || v > 4) throw invalidJpeg(`component ${id} has sampling factors ${h} x ${v}`)
    if (components.some((c) => c.id === id)) throw invalidJpeg(`two components are called ${id}`)
    components.push({ id, h, v, quantization: bytes[at + 2]! })
  }
  const { maxH, maxV } = maxSampling(components)
  if (components.some(({ h, v }) => maxH % h !== 0 || maxV % v !== 0)) {
    throw unsupportedJpeg(`with fractional sampling (${components.map(({ h, v }) => `${h}x${v}`).join(', ')})`)
  }
  return { width, height, progressive: marker === SOF2, components }
}

export function maxSampling(components: readonly JpegComponent[]) {
  return { maxH: Math.max(...components.map((c) => c.h)), maxV: Math.max(...components.map((c) => c.v)) }
}

function checkScan(bytes: Uint8Array, { start, end }: JpegSegment, file: Pick<JpegFile, 'components' | 'progressive'>) {
  const count = bytes[start] ?? 0
  if (count < 1 || count > 4 || end - start !== 4 + 2 * count) throw invalidJpeg('a scan header has the wrong length')
  const ids = Array.from({ length: count }, (_, i) => bytes[start + 1 + 2 * i]!)
  const known = ids.every((id, i) => file.components.some((c) => c.id === id) && ids.indexOf(id) === i)
  if (!known) throw invalidJpeg(`a scan is of components ${ids.join(', ')}`)
  if (!file.progressive) return
  const [first, last, approximation] = bytes.subarray(end - 3, end)
  const good = first === 0 ? last === 0 : first! <= last! && last! <= 63 && count === 1
  if (!good || (approximation! & 15) > 13) throw invalidJpeg('a scan header asks for impossible coefficients')
}

/**
 * Reads the structure of a JPEG file without decoding it.
 * @throws BareclipError INVALID_IMAGE where it is cut or damaged, UNSUPPORTED_IMAGE for kinds that are not decoded here
 */
export function parseJpeg(bytes: Uint8Array): JpegFile {
  let frame: ReturnType<typeof readFrame> | undefined
  let hasJfif = false
  let adobeTransform: number | undefined
  let scans = 0
  let scanBytes = 0
  const segments: JpegSegment[] = []
  for (const segment of segmentsOf(bytes)) {
    const { marker, start, end, dataEnd } = segment
    const startsWith = (text: string) => String.fromCharCode(...bytes.subarray(start, start + text.length)) === text
    if (marker === APP0 && startsWith('JFIF\0')) hasJfif = true
    else if (marker === APP14 && startsWith('Adobe') && end - start >= 12) adobeTransform = bytes[start + 11]!
    else if (marker === SOI) throw invalidJpeg('a second image starts inside it')
    else if (isFrame(marker)) {
      if (frame) throw invalidJpeg('it has two frame headers')
      frame = readFrame(bytes, segment)
      segments.push(segment)
    } else if (marker === SOS) {
      if (!frame) throw invalidJpeg('a scan comes before its frame header')
      if (++scans > MAX_SCANS) throw unsupportedJpeg(`with more than ${MAX_SCANS} scans`)
      checkScan(bytes, segment, frame)
      scanBytes += dataEnd - end
      segments.push(segment)
    } else if (marker === DQT || marker === DHT || marker === DRI) segments.push(segment)
  }
  if (!frame) throw invalidJpeg('it has no frame header')
  if (scans === 0) throw invalidJpeg('it has no image data')
  checkDataSize(frame, scanBytes)
  return { ...frame, hasJfif, adobeTransform, segments }
}

/** Every block of 8 x 8 samples costs a bit at least (two in a baseline file): a small file cannot claim a large image. */
function checkDataSize(frame: ReturnType<typeof readFrame>, scanBytes: number): void {
  const { maxH, maxV } = maxSampling(frame.components)
  let blocks = 0
  for (const { h, v } of frame.components) {
    blocks += Math.ceil((frame.width * h) / (8 * maxH)) * Math.ceil((frame.height * v) / (8 * maxV))
  }
  if (scanBytes * 8 < blocks * (frame.progressive ? 1 : 2))
    throw invalidJpeg('it has too little image data for its size')
}
