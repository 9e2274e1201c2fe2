// Inverse DCT in integers with libjpeg's constants and rounding (jidctint.c, "islow"), so that results are equal to it bit
// for bit. Algorithm: C. Loeffler, A. Ligtenberg, G. Moschytz, "Practical fast 1-D DCT algorithms with 11
// multiplications", ICASSP 1989. Constants are times 2^13.

const BITS = 13
/** Fraction bits kept between the two passes. */
const PASS1 = 2

/** Eight values of block at from, from + stride, … -> to the same places, rounded to 2^-shift. */
function transform(block: Int32Array, from: number, stride: number, shift: number): void {
  const s0 = block[from]!
  const s1 = block[from + stride]!
  const s2 = block[from + 2 * stride]!
  const s3 = block[from + 3 * stride]!
  const s4 = block[from + 4 * stride]!
  const s5 = block[from + 5 * stride]!
  const s6 = block[from + 6 * stride]!
  const s7 = block[from + 7 * stride]!
  const half = 1 << (shift - 1)

  // even part
  const e = Math.imul(s2 + s6, 4433)
  const e2 = e - Math.imul(s6, 15137)
  const e3 = e + Math.imul(s2, 6270)
  const e0 = ((s0 + s4) << BITS) + half
  const e1 = ((s0 - s4) << BITS) + half
  const a0 = e0 + e3
  const a3 = e0 - e3
  const a1 = e1 + e2
  const a2 = e1 - e2

  // odd part
  const z5 = Math.imul(s7 + s3 + s5 + s1, 9633)
  const z1 = Math.imul(s7 + s1, -7373)
  const z2 = Math.imul(s5 + s3, -20995)
  const z3 = Math.imul(s7 + s3, -16069) + z5
  const z4 = Math.imul(s5 + s1, -3196) + z5
  const o0 = Math.imul(s7, 2446) + z1 + z3
  const o1 = Math.imul(s5, 16819) + z2 + z4
  const o2 = Math.imul(s3, 25172) + z2 + z3
  const o3 = Math.imul(s1, 12299) + z1 + z4

  block[from] = (a0 + o3) >> shift
  block[from + stride] = (a1 + o2) >> shift
  block[from + 2 * stride] = (a2 + o1) >> shift
  block[from + 3 * stride] = (a3 + o0) >> shift
  block[from + 4 * stride] = (a3 - o0) >> shift
  block[from + 5 * stride] = (a2 - o1) >> shift
  block[from + 6 * stride] = (a1 - o2) >> shift
  block[from + 7 * stride] = (a0 - o3) >> shift
}

/** block: 64 dequantized coefficients, overwritten. Writes 8 x 8 samples to plane[to …], `stride` samples a row. */
export function inverseDct(block: Int32Array, plane: Uint8ClampedArray, to: number, stride: number): void {
  for (let x = 0; x < 8; x++) transform(block, x, 8, BITS - PASS1)
  for (let y = 0; y < 8; y++) {
    transform(block, 8 * y, 1, BITS + PASS1 + 3)
    const row = to + y * stride
    for (let x = 0; x < 8; x++) plane[row + x] = block[8 * y + x]! + 128
  }
}

/** The same for a block of which only coefficient 0 is not zero. */
export function inverseDctFlat(dc: number, plane: Uint8ClampedArray, to: number, stride: number): void {
  const sample = ((dc + 4) >> 3) + 128
  for (let y = 0; y < 8; y++) plane.fill(sample, to + y * stride, to + y * stride + 8)
}
