import { madd, scratchAddress } from '../common.as'
import { packBlock, packedDepth, rowBytes } from '../tiles.as'

// What a unit of attention keeps in scratch memory about its queries.

/** Queries in a unit. */
export const rowBlock: i32 = 24
/** Keys that are scored before their values are added up. */
export const keyBlock: i32 = 64

// Byte offsets from scratchAddress(); (24) each.
/** The running maximum of a row's scores. */
export const rowMax: usize = 0
/** Σ e^(score - maximum) */
export const rowSum: usize = 96
/** What the last block of keys multiplied the sums before it by. A tile writes up to 3 places past its rows. */
export const rowCorrection: usize = 192
/** What one more piece left out would add to rowSkipped. */
export const rowAdded: usize = 288
/** At least the sum of e^(score - maximum) over keys that were left out. */
export const rowSkipped: usize = 384
/** At least |scale| · |q|, with room for what rounding adds to a score. */
export const rowNorm: usize = 480
/** The largest |component| of the result if no more keys came. */
export const rowPeak: usize = 576
/** Position, i32. */
export const rowPosition: usize = 672
/** (keyBlock) positions of the block's keys, i32 */
export const keyPositions: usize = 768
/** (8, 8) sums of one block of keys, before they join the others */
export const tileSums: usize = 1088
/** (8, keyBlock), rows packed as tiles.as.ts wants them */
export const tileScores: usize = 1344
/** (⌈headDim / packedDepth⌉, rowBlock, packedDepth), rows packed; then what sumsOf and restOf find. */
export const packedQueries: usize = tileScores + 8 * rowBytes
/** From one block of columns of the queries to the next. */
export const queryBytes: usize = <usize>rowBlock * rowBytes

/** (⌈headDim / 8⌉, rowBlock, 8): Σ e^(score - maximum) · v */
@inline
export function sumsOf(headDim: usize): usize {
  return scratchAddress() + packedQueries + ((headDim + packedDepth - 1) / packedDepth) * queryBytes
}

/** (blocks, 2): see boundRest */
@inline
export function restOf(headDim: usize): usize {
  return sumsOf(headDim) + ((headDim + 7) >> 3) * (rowBlock << 5)
}

/** rows queries from `source` on, rows `stride` bytes apart → packed, and their positions; nothing summed so far */
export function startRows(source: usize, stride: usize, rows: i32, headDim: usize, positions: usize): void {
  const state = scratchAddress()
  for (let row = 0; row < rowBlock; row++) {
    const from = min(row, rows - 1)
    const at = state + (<usize>row << 2)
    store<f32>(at, -f32.MAX_VALUE, rowMax) // finite, so that a score of -∞ weighs nothing
    store<f32>(at, 0, rowSum)
    store<f32>(at, 0, rowSkipped)
    store<i32>(at, load<i32>(positions + (<usize>from << 2)), rowPosition)
  }
  let target = state + packedQueries
  for (let d: usize = 0; d < headDim; d += packedDepth) {
    packBlock(source + (d << 2), stride, rows, min(packedDepth, headDim - d), target)
    target += queryBytes
  }
  memory.fill(sumsOf(headDim), 0, ((headDim + 7) >> 3) * (rowBlock << 5))
}

/** sums (rows, 8) = sums · corrections (rows) + the last block's (rows, 8) */
export function joinSums(rows: i32, block: usize, corrections: usize, sums: usize): void {
  for (; rows > 0; rows--) {
    const s = v128.load32_splat(corrections)
    v128.store(sums, madd(v128.load(sums), s, v128.load(block)))
    v128.store(sums, madd(v128.load(sums, 16), s, v128.load(block, 16)), 16)
    corrections += 4
    sums += 32
    block += 32
  }
}

/** sums / rowSum → (rows, headDim), rows `stride` bytes apart */
export function finishRows(target: usize, stride: usize, rows: i32, headDim: usize): void {
  const state = scratchAddress()
  for (let row = 0; row < rows; row++) {
    const sum = v128.load32_splat(state + (<usize>row << 2), rowSum)
    let from = sumsOf(headDim) + (<usize>row << 5)
    let to = target
    let left = headDim
    for (; left >= 8; left -= 8) {
      v128.store(to, f32x4.div(v128.load(from), sum))
      v128.store(to, f32x4.div(v128.load(from, 16), sum), 16)
      from += rowBlock << 5
      to += 32
    }
    for (; left > 0; left--) {
      store<f32>(to, load<f32>(from) / f32x4.extract_lane(sum, 0))
      from += 4
      to += 4
    }
    target += stride
  }
}

/**
 * Scores of one tile (rows, count of keyBlock) in place: products → e^(scale · product - slope · distance - maximum).
 * Moves the maxima and sums of the tile's rows, from `row` on, and leaves their corrections.
 */
export function softmaxTile(row: i32, rows: i32, count: i32, scale: f32, slope: f32): void {
  const state = scratchAddress()
  const first = state + (<usize>row << 2)
  const bytes = <usize>((count + 3) & ~3) << 2
  for (let r: usize = 0; r < <usize>rows; r++) {
    const at = first + (r << 2)
    const before = load<f32>(at, rowMax)
    const largest = finishScores(state + tileScores + r * rowBytes, count, before, scale, slope, load<i32>(at, rowPosition))
    store<f32>(at, largest, rowMax)
    store<f32>(at, before - largest, rowCorrection)
  }
  exponentials(first + rowCorrection, <usize>((rows + 3) & ~3) << 2, 0)
  for (let r: usize = 0; r < <usize>rows; r++) {
    const at = first + (r << 2)
    const correction = load<f32>(at, rowCorrection)
    const sum = exponentials(state + tileScores + r * rowBytes, bytes, load<f32>(at, rowMax))
    store<f32>(at, load<f32>(at, rowSum) * correction + sum, rowSum)
    // may not be lost to underflow while what it bounds is not
    const skipped = load<f32>(at, rowSkipped)
    if (skipped != 0) store<f32>(at, skipped * correction + f32.MIN_NORMAL_VALUE, rowSkipped)
  }
}

/** products (count) → scores, -∞ from there to a multiple of 4; the largest of them and of `largest`, passing over NaN */
@inline
function finishScores(scores: usize, count: i32, largest: f32, scale: f32, slope: f32, position: i32): f32 {
  const scales = f32x4.splat(scale)
  const slopes = f32x4.splat(-slope)
  const positions = i32x4.splat(position)
  const distances = scratchAddress() + keyPositions - scores
  const end = scores + (<usize>(count & ~3) << 2)
  let top = f32x4.splat(largest)
  if (slope != 0) {
    for (; scores < end; scores += 16) {
      const distance = i32x4.abs(i32x4.sub(v128.load(scores + distances), positions))
      const x = madd(slopes, f32x4.convert_i32x4_s(distance), f32x4.mul(v128.load(scores), scales))
      v128.store(scores, x)
      top = f32x4.pmax(top, x)
    }
  } else {
    for (; scores < end; scores += 16) {
      const x = f32x4.mul(v128.load(scores), scales)
      v128.store(scores, x)
      top = f32x4.pmax(top, x)
    }
  }
  if (count & 3) {
    const distance = i32x4.abs(i32x4.sub(v128.load(scores + distances), positions))
    let x = f32x4.mul(v128.load(scores), scales)
    if (slope != 0) x = madd(slopes, f32x4.convert_i32x4_s(distance), x)
    x = v128.bitselect(f32x4.splat(-Infinity), x, i32x4.le_s(i32x4.splat(count & 3), i32x4(0, 1, 2, 3)))
    v128.store(scores, x)
    top = f32x4.pmax(top, x)
  }
  top = f32x4.pmax(top, v128.shuffle<f32>(top, top, 2, 3, 0, 1))
  top = f32x4.pmax(top, v128.shuffle<f32>(top, top, 1, 0, 3, 2))
  return f32x4.extract_lane(top, 0)
}

/** What `exponentials` computes with, in memory: V8 puts a constant in the code together anew wherever a loop uses it. */
const exponent: usize = memory.data<f32>([
  -87.33, 1.44269504088896341,
  12583039, // 1.5 · 2^23 + 127: adding it rounds to n and leaves 2^n's exponent field in the last bits
  -0.693359375, 2.1219444e-4,
  1.98756915e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1, 1
])

/**
 * x → e^(x - top) in place, `bytes` of them, no x above top, and their sum. With x - top = n·ln 2 + r, ln 2 in two pieces (Cody
 * and Waite), it is a polynomial of degree 7 in r (the coefficients of Cephes' expf, Stephen Moshier) times 2^n. 0 below -87.33,
 * where it would turn subnormal. NaN stays.
 */
function exponentials(at: usize, bytes: usize, top: f32): f32 {
  const tops = f32x4.splat(top)
  const least = v128.load32_splat(exponent)
  const perLn2 = v128.load32_splat(exponent, 4)
  const magic = v128.load32_splat(exponent, 8)
  const high = v128.load32_splat(exponent, 12)
  const low = v128.load32_splat(exponent, 16)
  const p7 = v128.load32_splat(exponent, 20)
  const p6 = v128.load32_splat(exponent, 24)
  const p5 = v128.load32_splat(exponent, 28)
  const p4 = v128.load32_splat(exponent, 32)
  const p3 = v128.load32_splat(exponent, 36)
  const p2 = v128.load32_splat(exponent, 40)
  const one = v128.load32_splat(exponent, 44)
  let total = f32x4.splat(0)
  for (const end = at + bytes; at < end; at += 16) {
    const x = f32x4.sub(v128.load(at), tops)
    const clamped = f32x4.pmax(x, least)
    const shifted = madd(clamped, perLn2, magic)
    const n = f32x4.sub(shifted, magic)
    const r = madd(n, low, madd(n, high, clamped))
    let p = madd(madd(madd(madd(madd(p7, r, p6), r, p5), r, p4), r, p3), r, p2)
    p = f32x4.add(madd(p, f32x4.mul(r, r), r), one)
    const e = v128.andnot(f32x4.mul(p, i32x4.shl(shifted, 23)), f32x4.lt(x, least))
    v128.store(at, e)
    total = f32x4.add(total, e)
  }
  total = f32x4.add(total, v128.shuffle<f32>(total, total, 2, 3, 0, 1))
  return f32x4.extract_lane(total, 0) + f32x4.extract_lane(total, 1)
}
