let tables: Uint32Array | undefined

/** Four tables of 256: tables[256 k + b] is the remainder of byte b followed by k zero bytes. */
function makeTables(): Uint32Array {
  const t = new Uint32Array(1024)
  for (let b = 0; b < 256; b++) {
    let c = b
    for (let bit = 0; bit < 8; bit++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1
    t[b] = c
  }
  for (let i = 256; i < 1024; i++) {
    const c = t[i - 256]!
    t[i] = t[c & 255]! ^ (c >>> 8)
  }
  return t
}

/** CRC-32 of bytes[start, end), as in PNG (ISO 3309), four bytes a step. */
export function crc32(bytes: Uint8Array, start: number, end: number): number {
  tables ??= makeTables()
  const t = tables
  let c = -1
  let i = start
  for (; i + 4 <= end; i += 4) {
    c ^= bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24)
    c = t[768 + (c & 255)]! ^ t[512 + ((c >>> 8) & 255)]! ^ t[256 + ((c >>> 16) & 255)]! ^ t[c >>> 24]!
  }
  for (; i < end; i++) c = t[(c ^ bytes[i]!) & 255]! ^ (c >>> 8)
  return ~c >>> 0
}
