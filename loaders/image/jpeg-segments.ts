import { BareclipError } from '../../runtime/errors.ts'

export interface JpegSegment {
  /** Second byte of the marker. */
  readonly marker: number
  /** Of the payload, behind the two length bytes. */
  readonly start: number
  readonly end: number
  /** Of a scan: where the entropy-coded data behind the segment ends. Else the same as end. */
  readonly dataEnd: number
}

export const SOF2 = 0xc2
export const DHT = 0xc4
export const SOI = 0xd8
export const EOI = 0xd9
export const SOS = 0xda
export const DQT = 0xdb
export const DRI = 0xdd

export function invalidJpeg(message: string, cause?: unknown): BareclipError {
  return new BareclipError('INVALID_IMAGE', `the JPEG is damaged: ${message}`, cause === undefined ? {} : { cause })
}

/** SOF0 to SOF15 without DHT (C4), JPG (C8) and DAC (CC). */
export const isFrame = (marker: number) => marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)
const isRestart = (marker: number) => marker >= 0xd0 && marker <= 0xd7

export const uint16 = (bytes: Uint8Array, at: number) => (bytes[at]! << 8) | bytes[at + 1]!

/** Offset of the next marker's 0xFF that is no stuffed byte, filler or restart marker; the file's length if there is none. */
function nextMarker(bytes: Uint8Array, from: number): number {
  let at = from
  for (;;) {
    at = bytes.indexOf(0xff, at)
    const marker = bytes[at + 1]
    if (at < 0 || marker === undefined) return bytes.length
    if (marker === 0xff) at++
    else if (marker <= 1 || isRestart(marker)) at += 2
    else return at
  }
}

/** Every segment up to EOI, which is the last one. Bytes between segments that belong to none are passed over. */
export function* segmentsOf(bytes: Uint8Array): Generator<JpegSegment> {
  for (let at = nextMarker(bytes, 2); at < bytes.length; ) {
    const marker = bytes[at + 1]!
    const start = at + 4
    if (marker === EOI) {
      yield { marker, start: at + 2, end: at + 2, dataEnd: at + 2 }
      return
    }
    if (start > bytes.length) break
    const end = at + 2 + uint16(bytes, at + 2)
    if (end < start) throw invalidJpeg(`the segment at byte ${at} has an impossible length`)
    if (end > bytes.length) break
    at = nextMarker(bytes, end)
    yield { marker, start, end, dataEnd: marker === SOS ? at : end }
  }
  throw invalidJpeg('it ends before its end marker: the file is cut short')
}

/** Width and height as the frame header says, nothing checked; undefined where there is none to be found. */
export function jpegSize(bytes: Uint8Array): { width: number; height: number } | undefined {
  try {
    for (const { marker, start, end } of segmentsOf(bytes)) {
      if (isFrame(marker) && end - start >= 6) {
        return { width: uint16(bytes, start + 3), height: uint16(bytes, start + 1) }
      }
    }
  } catch {
    return undefined // cut or damaged before the frame header
  }
  return undefined
}
