import { invalidJpeg } from './jpeg-segments.ts'

const FAST = 9

/** The canonical Huffman codes of one table. */
export interface HuffmanTable {
  /** For each 9 bits that start with a code of up to 9 bits: length << 8 | symbol. Else 0. */
  readonly fast: Uint16Array
  /** A code c of n bits is a symbol if c <= last[n], namely symbols[first[n] + c]. */
  readonly last: Int32Array
  readonly first: Int32Array
  readonly symbols: Uint8Array
}

/** Reads bytes[start, end) of a DHT segment into tables, by class << 4 | id (class 0 DC, 1 AC). */
export function readHuffmanTables(bytes: Uint8Array, start: number, end: number, tables: HuffmanTable[]): void {
  for (let at = start; at < end; ) {
    const counts = bytes.subarray(at + 1, at + 17)
    const total = counts.reduce((sum, n) => sum + n, 0)
    if (at + 17 + total > end) throw invalidJpeg('a Huffman table is cut short')
    const symbols = bytes.slice(at + 17, at + 17 + total)
    const fast = new Uint16Array(1 << FAST)
    const last = new Int32Array(17).fill(-1)
    const first = new Int32Array(17)
    let code = 0
    let index = 0
    for (let n = 1; n <= 16; n++) {
      const count = counts[n - 1]!
      if (code + count > 1 << n) throw invalidJpeg('a Huffman table has too many codes')
      first[n] = index - code
      for (let i = 0; i < count; i++, code++, index++) {
        if (n <= FAST) fast.fill((n << 8) | symbols[index]!, code << (FAST - n), (code + 1) << (FAST - n))
      }
      if (count > 0) last[n] = code - 1
      code <<= 1
    }
    tables[bytes[at]!] = { fast, last, first, symbols }
    at += 17 + total
  }
}

/** Reads entropy-coded bits up to the next marker; behind it come zeros without end. */
export interface BitReader {
  readonly bytes: Uint8Array
  /** Of the next byte to load; it stays on a marker. */
  at: number
  readonly end: number
  /** The lowest `count` bits are still to be read. */
  bits: number
  count: number
  /** How many bits of zeros were loaded in place of data. */
  padding: number
}

export function bitReader(bytes: Uint8Array, start: number, end: number): BitReader {
  return { bytes, at: start, end, bits: 0, count: 0, padding: 0 }
}

/** Whether more was read than there is. */
export const isOverrun = (r: BitReader): boolean => r.count < r.padding

function load(r: BitReader): void {
  while (r.count <= 24) {
    let byte = r.at < r.end ? r.bytes[r.at]! : 0xff
    if (byte !== 0xff) r.at++
    else if (r.at < r.end && r.bytes[r.at + 1] === 0) r.at += 2
    else {
      byte = 0
      r.padding += 8
    }
    r.bits = (r.bits << 8) | byte
    r.count += 8
  }
}

/** Drops what is left of the loaded bits and steps over restart marker number `index` (0 to 7). */
export function restart(r: BitReader, index: number): void {
  while (r.at < r.end && r.bytes[r.at] === 0xff && r.bytes[r.at + 1] === 0xff) r.at++
  if (isOverrun(r) || r.at + 2 > r.end || r.bytes[r.at] !== 0xff || r.bytes[r.at + 1] !== 0xd0 + index) {
    throw invalidJpeg('a restart marker is not where it should be')
  }
  r.at += 2
  r.bits = 0
  r.count = 0
  r.padding = 0
}

/** The next n bits, n from 1 to 16. */
export function readBits(r: BitReader, n: number): number {
  if (r.count < n) load(r)
  r.count -= n
  return (r.bits >> r.count) & ((1 << n) - 1)
}

/** The next n bits, n from 1 to 15, as a number of n significant bits: those that start with 0 are negative. */
export function readSigned(r: BitReader, n: number): number {
  const value = readBits(r, n)
  return value < 1 << (n - 1) ? value - (1 << n) + 1 : value
}

export function readSymbol(r: BitReader, table: HuffmanTable): number {
  if (r.count < 16) load(r)
  const entry = table.fast[(r.bits >> (r.count - FAST)) & ((1 << FAST) - 1)]!
  if (entry !== 0) {
    r.count -= entry >> 8
    return entry & 255
  }
  for (let n = FAST + 1; n <= 16; n++) {
    const code = (r.bits >> (r.count - n)) & ((1 << n) - 1)
    if (code <= table.last[n]!) {
      r.count -= n
      return table.symbols[table.first[n]! + code]!
    }
  }
  throw invalidJpeg('its image data has a code that is in no table')
}
