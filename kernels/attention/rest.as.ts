import { exp4 } from '../activation.as'
import { scratchAddress } from '../common.as'
import { rowAdded, rowBlock, rowMax, rowNorm, rowPeak, rowPosition, rowSkipped, rowSum, sumsOf } from './rows.as'

// Which keys may be left out: derived in docs/operations/attention.md, "Leaving keys out".

/** Left out at most, planned: this share of the result's largest component. */
const planned: f32 = 1.4901161193847656e-8 // 2^-26
/** Left out at most, checked at the end. */
const allowed: f32 = 2.9802322387695312e-8 // 2^-25

/** Lanes of the rows from byte offset i on that are past the last of `rows`: nothing is asked of them. */
@inline
function past(rows: i32, i: usize): v128 {
  return i32x4.le_s(i32x4.splat(rows - <i32>(i >> 2)), i32x4(0, 1, 2, 3))
}

/** rowNorm of all rows. stride: bytes from query to query; rows past the last repeat it. */
export function boundRows(source: usize, stride: usize, rows: i32, headDim: usize, scale: f32): void {
  // what rounding may add to the two norms and to a score: (headDim + 8) · 2^-22 of it is ample
  const slack: f32 = abs(scale) * (1 + <f32>(headDim + 8) * 2.384185791015625e-7)
  for (let row = 0; row < rowBlock; row++) {
    const q = source + <usize>min(row, rows - 1) * stride
    let sum: f32 = <f32>headDim * 1.17549435e-38 // 2^-126 for each square that may be lost to underflow
    for (let d: usize = 0; d < headDim; d++) {
      const x = load<f32>(q + (d << 2))
      sum += x * x
    }
    store<f32>(scratchAddress() + (<usize>row << 2), sqrt<f32>(sum) * slack, rowNorm)
  }
}

/** statistics (blocks, 2) → at each block the largest of it and of all beyond it, seen from block `start` */
export function boundRest(statistics: usize, blocks: i32, start: i32, rest: usize): void {
  let norm: f32 = 0
  let value: f32 = 0
  for (let b = blocks - 1; b >= start; b--) {
    const at = <usize>b << 3
    norm = max<f32>(norm, load<f32>(statistics + at)) // keeps NaN
    value = max<f32>(value, load<f32>(statistics + at, 4))
    store<f32>(rest + at, norm)
    store<f32>(rest + at, value, 4)
  }
  norm = 0
  value = 0
  for (let b = 0; b < start; b++) {
    const at = <usize>b << 3
    norm = max<f32>(norm, load<f32>(statistics + at))
    value = max<f32>(value, load<f32>(statistics + at, 4))
    store<f32>(rest + at, norm)
    store<f32>(rest + at, value, 4)
  }
}

/** rowPeak of all rows. */
export function measurePeaks(headDim: usize): void {
  const state = scratchAddress()
  const panels = (headDim + 7) >> 3
  for (let row = 0; row < rowBlock; row++) {
    let largest = f32x4.splat(0)
    let from = sumsOf(headDim) + (<usize>row << 5)
    for (let p: usize = 0; p < panels; p++) {
      largest = f32x4.pmax(largest, f32x4.abs(v128.load(from)))
      largest = f32x4.pmax(largest, f32x4.abs(v128.load(from, 16)))
      from += rowBlock << 5
    }
    largest = f32x4.pmax(largest, v128.shuffle<f32>(largest, largest, 2, 3, 0, 1))
    largest = f32x4.pmax(largest, v128.shuffle<f32>(largest, largest, 1, 0, 3, 2))
    const at = state + (<usize>row << 2)
    store<f32>(at, f32x4.extract_lane(largest, 0) / load<f32>(at, rowSum), rowPeak)
  }
}

/**
 * What `keys` keys would add to rowSkipped → rowAdded. norm: of the longest key; nearest: position of the nearest one. Whether
 * `portion` times that is within what may still be left out of every row, were the result as large as the values.
 */
export function boundPiece(rows: i32, norm: f32, nearest: i32, keys: i32, slope: f32, portion: f32): bool {
  const state = scratchAddress()
  let within = i32x4.splat(-1)
  for (let i: usize = 0; i < <usize>rowBlock << 2; i += 16) {
    const at = state + i
    const distance = i32x4.abs(i32x4.sub(i32x4.splat(nearest), v128.load(at, rowPosition)))
    const high = f32x4.mul(v128.load(at, rowNorm), f32x4.splat(norm))
    const low = f32x4.mul(f32x4.splat(slope), f32x4.convert_i32x4_s(distance))
    const top = v128.load(at, rowMax)
    const sizes = f32x4.add(f32x4.add(high, low), f32x4.abs(top))
    let x = f32x4.sub(f32x4.sub(high, low), top)
    x = f32x4.add(x, f32x4.mul(sizes, f32x4.splat(9.5367431640625e-7))) // 2^-20: roundings here and in a score
    // a thousandth for the rounding of sums; the floor is above what the exponential turns to 0
    let added = f32x4.max(exp4(x), f32x4.splat(2.3509887e-38))
    added = f32x4.mul(added, f32x4.splat(<f32>keys * 1.001))
    v128.store(at, added, rowAdded)
    const left = f32x4.sub(f32x4.mul(v128.load(at, rowSum), f32x4.splat(planned)), v128.load(at, rowSkipped))
    within = v128.and(within, v128.or(f32x4.le(f32x4.mul(added, f32x4.splat(portion)), left), past(rows, i)))
  }
  return i32x4.all_true(within)
}

/**
 * Leaves out the piece that boundPiece looked at, if `portion` times what it adds is within what may still be left out of
 * every row; then true. value: the largest |v| of everything left out with it.
 */
export function leavePiece(rows: i32, value: f32, portion: f32): bool {
  const state = scratchAddress()
  let within = i32x4.splat(-1)
  for (let i: usize = 0; i < <usize>rowBlock << 2; i += 16) {
    const at = state + i
    const peak = v128.load(at, rowPeak)
    const share = f32x4.div(peak, f32x4.add(peak, f32x4.splat(value)))
    const most = f32x4.mul(f32x4.mul(v128.load(at, rowSum), f32x4.splat(planned)), share)
    const left = f32x4.sub(most, v128.load(at, rowSkipped))
    const added = f32x4.mul(v128.load(at, rowAdded), f32x4.splat(portion))
    within = v128.and(within, v128.or(f32x4.le(added, left), past(rows, i)))
  }
  if (!i32x4.all_true(within)) return false
  for (let i: usize = 0; i < <usize>rowBlock << 2; i += 16) {
    const at = state + i
    v128.store(at, f32x4.add(v128.load(at, rowSkipped), v128.load(at, rowAdded)), rowSkipped)
  }
  return true
}

/** Whether what was left out, none of it above `value`, changes no row by more than is allowed. Needs measurePeaks. */
export function withinBound(rows: i32, value: f32): bool {
  const state = scratchAddress()
  let within = i32x4.splat(-1)
  for (let i: usize = 0; i < <usize>rowBlock << 2; i += 16) {
    const at = state + i
    const peak = v128.load(at, rowPeak)
    const change = f32x4.mul(v128.load(at, rowSkipped), f32x4.add(peak, f32x4.splat(value)))
    const limit = f32x4.mul(f32x4.mul(v128.load(at, rowSum), f32x4.splat(allowed)), peak)
    within = v128.and(within, v128.or(f32x4.le(change, limit), past(rows, i)))
  }
  return i32x4.all_true(within)
}
