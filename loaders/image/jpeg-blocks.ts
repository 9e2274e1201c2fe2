// Coefficients of one block of 8 x 8 samples: ITU-T T.81, annexes F (sequential) and G (progressive).

import { type BitReader, type HuffmanTable, readBits, readSigned, readSymbol } from './jpeg-huffman.ts'
import { invalidJpeg } from './jpeg-segments.ts'

/** Where coefficient k of the zigzag order is in the block. */
// biome-ignore format: a table of 8 x 8
export const ZIGZAG = Uint8Array.of(
  0, 1, 8, 16, 9, 2, 3, 10,
  17, 24, 32, 25, 18, 11, 4, 5,
  12, 19, 26, 33, 40, 48, 41, 34,
  27, 20, 13, 6, 7, 14, 21, 28,
  35, 42, 49, 56, 57, 50, 43, 36,
  29, 22, 15, 23, 30, 37, 44, 51,
  58, 59, 52, 45, 38, 31, 39, 46,
  53, 60, 61, 54, 47, 55, 62, 63,
)

/** What decoding a scan's blocks of one component needs and changes. */
export interface BlockDecoder {
  readonly dc: HuffmanTable
  readonly ac: HuffmanTable
  /** DC value of the block before. */
  prediction: number
}

/** Band [first, last] of the zigzag order, to the precision of bit `low`. */
export interface Band {
  readonly first: number
  readonly last: number
  readonly low: number
  /** Blocks, after the one in hand, whose band has ended. */
  endOfBandRun: number
}

const tooMany = () => invalidJpeg('a block has more than 64 coefficients')

function readDc(r: BitReader, decoder: BlockDecoder): number {
  const size = readSymbol(r, decoder.dc)
  if (size > 15) throw invalidJpeg('a DC coefficient has an impossible size')
  if (size > 0) decoder.prediction += readSigned(r, size)
  return decoder.prediction
}

/** Adds a block to `block` (64 zeros before), each coefficient times its quantization step. Says if any but DC is there. */
export function readSequential(r: BitReader, decoder: BlockDecoder, steps: Int32Array, block: Int32Array): boolean {
  block[0] = Math.imul(readDc(r, decoder), steps[0]!)
  let k = 1
  while (k < 64) {
    const symbol = readSymbol(r, decoder.ac)
    const size = symbol & 15
    if (size === 0) {
      if (symbol < 0xf0) break // end of block
      k += 16
      continue
    }
    k += symbol >> 4
    if (k > 63) throw tooMany()
    const at = ZIGZAG[k]!
    block[at] = Math.imul(readSigned(r, size), steps[at]!)
    k++
  }
  return k > 1
}

// Below: progressive. The block is coefficients[at, at + 64).

export function readDcFirst(r: BitReader, decoder: BlockDecoder, band: Band, coefficients: Int16Array, at: number) {
  coefficients[at] = readDc(r, decoder) << band.low
}

export function readDcRefinement(r: BitReader, _: BlockDecoder, band: Band, coefficients: Int16Array, at: number) {
  if (readBits(r, 1)) coefficients[at] = coefficients[at]! | (1 << band.low)
}

export function readAcFirst(r: BitReader, decoder: BlockDecoder, band: Band, coefficients: Int16Array, at: number) {
  if (band.endOfBandRun > 0) {
    band.endOfBandRun--
    return
  }
  for (let k = band.first; k <= band.last; k++) {
    const symbol = readSymbol(r, decoder.ac)
    const zeros = symbol >> 4
    const size = symbol & 15
    if (size === 0 && zeros < 15) {
      band.endOfBandRun = (1 << zeros) - 1 + (zeros > 0 ? readBits(r, zeros) : 0)
      return
    }
    k += zeros
    if (size === 0) continue
    if (k > 63) throw tooMany()
    coefficients[at + ZIGZAG[k]!] = readSigned(r, size) << band.low
  }
}

/**
 * Refines the coefficients from number k on that are not zero, up to the zero number `zeros` (0: the next one).
 * -> the number where it stopped, band.last + 1 if there is no such zero
 */
function refine(r: BitReader, band: Band, coefficients: Int16Array, at: number, start: number, zeros: number): number {
  const bit = 1 << band.low
  let left = zeros
  for (let k = start; k <= band.last; k++) {
    const i = at + ZIGZAG[k]!
    const value = coefficients[i]!
    if (value === 0) {
      if (left-- === 0) return k
    } else if (readBits(r, 1) !== 0 && (value & bit) === 0) coefficients[i] = value + (value < 0 ? -bit : bit)
  }
  return band.last + 1
}

export function readAcRefinement(
  r: BitReader,
  decoder: BlockDecoder,
  band: Band,
  coefficients: Int16Array,
  at: number,
) {
  const bit = 1 << band.low
  let k = band.first
  while (band.endOfBandRun === 0 && k <= band.last) {
    const symbol = readSymbol(r, decoder.ac)
    const zeros = symbol >> 4
    const size = symbol & 15
    if (size > 1) throw invalidJpeg('a refined coefficient has an impossible size')
    if (size === 0 && zeros < 15) {
      band.endOfBandRun = (1 << zeros) + (zeros > 0 ? readBits(r, zeros) : 0)
      break
    }
    const value = size === 0 ? 0 : readBits(r, 1) !== 0 ? bit : -bit
    k = refine(r, band, coefficients, at, k, zeros)
    if (value !== 0) {
      if (k > band.last) throw tooMany()
      coefficients[at + ZIGZAG[k]!] = value
    }
    k++
  }
  if (band.endOfBandRun > 0) {
    refine(r, band, coefficients, at, k, 64)
    band.endOfBandRun--
  }
}
