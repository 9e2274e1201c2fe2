/** Room for any shape, a multiple of 64 as NumPy aligns it. */
const headerBytes = 128

/** NumPy's format 1.0 (numpy.lib.format) of float32 (rows, dimensions), C order. Always 128 bytes. */
export function npyHeader(rows: number, dimensions: number): Uint8Array {
  const start = [0x93, ...new TextEncoder().encode('NUMPY'), 1, 0]
  const rest = headerBytes - start.length - 2
  const text = `{'descr': '<f4', 'fortran_order': False, 'shape': (${rows}, ${dimensions}), }`
  return Uint8Array.of(...start, rest & 255, rest >> 8, ...new TextEncoder().encode(`${text.padEnd(rest - 1)}\n`))
}
