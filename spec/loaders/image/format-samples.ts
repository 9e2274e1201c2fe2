import type { FileFormat } from '../../../loaders/image/format.ts'
import { base64, concat } from './support.ts'

/** Small files of other formats, 13 x 7 pixels unless said otherwise. */
export const samples: Record<string, { bytes: Uint8Array; format: FileFormat; size?: readonly [number, number] }> = {
  GIF: {
    bytes: base64(
      'R0lGODdhDQAHAIIAAMwAAMwzAJkAM8wAM8wzMwAAAAAAAAAAACwAAAAADQAHAAAIMQAJDBBIcKBBAgQAEAgwIEDChQ0RHhxIsKLChw0HKjwoAGFHAh81QnSosKTEghUNBgQAOw==',
    ),
    format: 'gif',
    size: [13, 7],
  },
  BMP: {
    bytes: base64(
      'Qk1aAAAAAAAAAD4AAAAoAAAADQAAAAcAAAABAAEAAAAAABwAAADEDgAAxA4AAAIAAAACAAAAAAAAAP///wAiQAAASSgAACRAAACSkAAAJCAAAElIAAAiIAAA',
    ),
    format: 'bmp',
    size: [13, 7],
  },
  'BMP, top down': {
    bytes: concat('BM', Array(12).fill(0), [40, 0, 0, 0, 13, 0, 0, 0, 249, 255, 255, 255]),
    format: 'bmp',
    size: [13, 7],
  },
  'BMP of OS/2': { bytes: concat('BM', Array(12).fill(0), [12, 0, 0, 0, 13, 0, 7, 0]), format: 'bmp', size: [13, 7] },
  'WebP, lossy': {
    bytes: base64('UklGRjAAAABXRUJQVlA4ICQAAABwAQCdASoNAAcAB0CWJaACdAF1AAD+4uBIw1uv6u/O36ntgAA='),
    format: 'webp',
    size: [13, 7],
  },
  'WebP, lossless': {
    bytes: base64('UklGRh4AAABXRUJQVlA4TBEAAAAvDIABAAdQjyIXpf+BiOh/AAA='),
    format: 'webp',
    size: [13, 7],
  },
  'WebP, extended': {
    bytes: base64('UklGRpQAAABXRUJQVlA4WAoAAAAYAAAADAAABgAAQUxQSA=='),
    format: 'webp',
    size: [13, 7],
  },
  AVIF: {
    bytes: base64(
      'AAAAIGZ0eXBhdmlmAAAAAGF2aWZtaWYxbWlhZk1BMUIAAADrbWV0YQAAAAAAAAAhaGRscgAAAAAAAAAAcGljdAAAAAAAAAAAAAAAAAAAAAAOcGl0bQAAAAAAAQAAAB5pbG9jAAAAAEQAAAEAAQAAAAEAAAETAAAAJAAAAChpaW5mAAAAAAABAAAAGmluZmUCAAAAAAEAAGF2MDFDb2xvcgAAAABqaXBycAAAAEtpcGNvAAAAFGlzcGUAAAAAAAAADQAAAAcAAAAQcGl4aQAAAAADCAgI',
    ),
    format: 'avif',
    size: [13, 7],
  },
  HEIC: { bytes: concat([0, 0, 0, 24], 'ftypheic', Array(12).fill(0)), format: 'heic' },
  TIFF: {
    bytes: base64(
      'SUkqACwAAAAujCBBUggmCSVhMIWEwgmEyhwmopJMIaSQQTCVhCkkwAQAQAAJAAABAwABAAAADQAAAAEBAwABAAAABwAAAAIBAwABAAAAAQAAAAMBAwABAAAABAAAAAYBAwABAAAAAQAAABEBBAABAAAACAAAABYBAwABAAAABwAAABcBBAABAAAAIwAAABwBAwABAAAAAQAAAAAAAAA=',
    ),
    format: 'tiff',
    size: [13, 7],
  },
  'TIFF, big-endian': {
    bytes: concat('MM\0*', [0, 0, 0, 8, 0, 2, 1, 0, 0, 3, 0, 0, 0, 1, 0, 13, 0, 0, 1, 1, 0, 4, 0, 0, 0, 1, 0, 0, 0, 7]),
    format: 'tiff',
    size: [13, 7],
  },
  BigTIFF: { bytes: concat('II+\0', [8, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0]), format: 'tiff' },
  ICO: {
    bytes: concat([0, 0, 1, 0, 2, 0, 16, 16], Array(14).fill(0), [0, 48], Array(14).fill(0)),
    format: 'ico',
    size: [256, 48],
  },
  'JPEG XL': { bytes: concat([0xff, 0x0a, 0x30, 0, 0x18]), format: 'jxl' },
  'JPEG XL in a container': { bytes: concat([0, 0, 0, 12], 'JXL \r\n\x87\n'), format: 'jxl' },
  'JPEG 2000': { bytes: concat([0, 0, 0, 12], 'jP  \r\n\x87\n'), format: 'jp2' },
  Photoshop: { bytes: concat('8BPS', [0, 1, 0, 0, 0, 0, 0, 0]), format: 'psd' },
  SVG: { bytes: concat('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'), format: 'svg' },
  'SVG with a prologue': {
    bytes: concat('\xef\xbb\xbf<?xml version="1.0"?>\n<!-- drawn -->\n<svg>\n</svg>'),
    format: 'svg',
  },
  PDF: { bytes: concat('%PDF-1.7\n%\xe2\xe3\xcf\xd3\n'), format: 'pdf' },
  HTML: { bytes: concat('\n<!DOCTYPE html><html><body><svg></svg></body></html>'), format: 'html' },
  text: { bytes: concat('BMW is a car maker.\nGIF is a format.\n'), format: 'text' },
  JSON: { bytes: concat('{"image": "photo.png"}'), format: 'text' },
  'text in UTF-8, cut inside a character': {
    bytes: new Uint8Array(Buffer.from('é'.repeat(600)).subarray(0, 1025)),
    format: 'text',
  },
  'text in UTF-16': { bytes: concat([0xff, 0xfe], 'h\0i\0'), format: 'text' },
  ZIP: { bytes: concat('PK\x03\x04', Array(30).fill(0)), format: 'zip' },
  gzip: { bytes: concat([0x1f, 0x8b, 8, 0]), format: 'gzip' },
  MP4: { bytes: concat([0, 0, 0, 24], 'ftypisom', Array(12).fill(0)), format: 'video' },
  nothing: { bytes: new Uint8Array(0), format: 'empty' },
  'one byte': { bytes: Uint8Array.of(0x89), format: 'unknown' },
  zeros: { bytes: new Uint8Array(100), format: 'unknown' },
  noise: { bytes: Uint8Array.from({ length: 3000 }, (_, i) => (i * i * 31 + 200) & 255), format: 'unknown' },
}
