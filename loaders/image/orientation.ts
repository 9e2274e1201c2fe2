import { type FileFormat, latin1 } from './format.ts'
import { SOS, segmentsOf } from './jpeg-segments.ts'

const APP1 = 0xe1
const APP15 = 0xef

/**
 * The file without its EXIF orientation, for decoders that turn a picture by it and cannot be told not to: HTML's
 * `imageOrientation: 'none'` has come to mean the opposite of what it says. Where there is EXIF data the result is a copy of
 * the same length in which that data goes by a name that no decoder reads. JPEG (checked by parseJpeg before) and WebP.
 */
export function withoutOrientation(bytes: Uint8Array, format: FileFormat): Uint8Array {
  const places = format === 'jpeg' ? jpegExif(bytes) : format === 'webp' ? webpExif(bytes) : []
  if (places.length === 0) return bytes
  const copy = new Uint8Array(bytes)
  for (const { at, name } of places) copy.set(name, at)
  return copy
}

/** Bytes to put in place of those that name the data. */
interface Place {
  readonly at: number
  readonly name: readonly number[]
}

function jpegExif(bytes: Uint8Array): Place[] {
  const places: Place[] = []
  for (const { marker, start, end } of segmentsOf(bytes)) {
    if (marker === SOS) break // what follows is too late
    const isExif = marker === APP1 && end - start > 6 && latin1(bytes, start, start + 6) === 'Exif\0\0'
    if (isExif) places.push({ at: start - 3, name: [APP15] })
  }
  return places
}

function webpExif(bytes: Uint8Array): Place[] {
  const places: Place[] = []
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let at = 12; at + 8 <= bytes.length; ) {
    if (latin1(bytes, at, at + 4) === 'EXIF') places.push({ at, name: [0x6a, 0x75, 0x6e, 0x6b] }) // 'junk'
    const size = view.getUint32(at + 4, true)
    at += 8 + size + (size & 1)
  }
  return places
}
