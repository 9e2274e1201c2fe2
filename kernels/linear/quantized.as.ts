import { madd, param, scratchAddress } from '../common.as'
import { add, combine, finish, finishTail, store8 } from './finish.as'

// `linear` on integer codes: i32x4.dot_i16x8_s multiplies a pair of columns of x with the pairs of four outputs. After every 64
// columns the int32 sums are emptied into float32: y = y + float(sum) · scale of the block, in ascending order of blocks, and
// at the end y = y · scale of the row. No sum of 64 products leaves int32 (quantized.ts), and within a block the order of int32
// additions does not matter, so tiles of all shapes give the same bits. A row of x with NaN or infinity has codes 0 and scale NaN.

/** Rows of x that are worked off while a panel is in cache. A multiple of 4. */
const rowBlock: i32 = 48
/** Panels of 8 columns in a unit. */
const panelBlock: i32 = 4

/**
 * One unit is `rowBlock` rows of x by `panelBlock` panels of the weight, in the order of linear.as.ts.
 * Parameters: codes and row scales of x (quantizeRows), rows, blocks (of 64 columns), weight, its bytes per code (1, 2), scale
 * (panels, blocks, 8), out, bias, activation, gate (0 none), residual, y, interval (blocks between emptyings: 1; the bench
 * tries more, with the scale of the first block for all).
 * Addresses are 0 where there is nothing. A gate needs out to be a multiple of 8.
 */
export function linearQuantized(parameters: usize, from: i32, to: i32): void {
  const x = param(parameters, 0)
  const rowScales = param(parameters, 1)
  const rows = <i32>param(parameters, 2)
  const blocks = param(parameters, 3)
  const weight = param(parameters, 4)
  const codeBytes = param(parameters, 5)
  const scale = param(parameters, 6)
  const out = <i32>param(parameters, 7)
  const bias = param(parameters, 8)
  const activation = param(parameters, 9)
  const gate = param(parameters, 10)
  const residual = param(parameters, 11)
  const y = param(parameters, 12)
  const interval = param(parameters, 13)

  const panels = (out + 7) >> 3
  const stripes = (rows + rowBlock - 1) / rowBlock
  const panelBytes = (blocks << 9) * codeBytes
  const scaleBytes = blocks << 5
  const groupBytes = blocks << 9
  const yStride = <usize>out << 2
  const tail = scratchAddress() // 4 rows of 8 columns for panels that stick out
  for (let unit = from; unit < to; unit++) {
    const row0 = (unit % stripes) * rowBlock
    const rowEnd = min(rows, row0 + rowBlock)
    const panel0 = (unit / stripes) * panelBlock
    const panelEnd = min(panels, panel0 + panelBlock)
    for (let panel = panel0; panel < panelEnd; panel++) {
      const column = panel << 3
      const whole = column + 8 <= out
      const first = weight + <usize>panel * panelBytes
      const firstScale = scale + <usize>panel * scaleBytes
      const second = first + <usize>panels * panelBytes
      const secondScale = firstScale + <usize>panels * scaleBytes
      for (let row = row0; row < rowEnd; ) {
        const left = rowEnd - row
        const count = left >= 4 ? 4 : left >= 2 ? 2 : 1
        const source = x + <usize>(row >> 2) * groupBytes + (<usize>(row & 3) << 2)
        const rowScale = rowScales + (<usize>row << 2)
        const place = y + <usize>row * yStride + (<usize>column << 2)
        const target = whole ? place : tail
        const stride = whole ? yStride : 32
        multiply(codeBytes, count, source, rowScale, first, firstScale, blocks, interval, target, stride)
        if (gate) {
          // y holds the first half while the second is computed into scratch
          multiply(codeBytes, count, source, rowScale, second, secondScale, blocks, interval, tail, 32)
          combine(count, target, stride, bias, column, out, gate, tail)
          if (residual) add(count, target, stride, residual + (place - y), yStride)
        } else {
          const b = bias ? bias + (<usize>column << 2) : 0
          if (whole) finish(count, target, stride, b, activation, residual ? residual + (place - y) : 0, yStride)
          else finishTail(count, target, out - column, b, activation, residual ? residual + (place - y) : 0, place, yStride)
        }
        row += count
      }
    }
  }
}

/** count rows (4, 2, 1) of x times one panel → count rows of 8 at target */
@inline
function multiply(
  codeBytes: usize,
  count: i32,
  x: usize,
  rowScale: usize,
  w: usize,
  scale: usize,
  blocks: usize,
  interval: usize,
  target: usize,
  stride: usize,
): void {
  const zero = f32x4.splat(0)
  for (let r = 0, at = target; r < count; r++, at += stride) store8(at, zero, zero)
  if (codeBytes == 1) multiplyBy<i8>(count, x, w, scale, blocks, interval, target, stride)
  else multiplyBy<i16>(count, x, w, scale, blocks, interval, target, stride)
  for (let r = 0, at = target; r < count; r++, at += stride) {
    const s = v128.load32_splat(rowScale + (<usize>r << 2))
    store8(at, f32x4.mul(v128.load(at), s), f32x4.mul(v128.load(at, 16), s))
  }
}

@inline
function multiplyBy<T>(count: i32, x: usize, w: usize, scale: usize, blocks: usize, interval: usize, y: usize, stride: usize): void {
  if (count == 4) tile4<T>(x, w, scale, blocks, interval, y, stride)
  else if (count == 2) tile2<T>(x, w, scale, blocks, interval, y, stride)
  else tile1<T>(x, w, scale, blocks, interval, y, stride)
}

/** A pair of columns of four outputs as int16. */
@inline
function pairs<T>(w: usize): v128 {
  return sizeof<T>() == 1 ? v128.load_ext<i8>(w) : v128.load(w)
}

/** sum + a pair of columns of one row of x, times four outputs */
@inline
function dot(sum: v128, pair: v128, w: v128): v128 {
  return i32x4.add(sum, i32x4.dot_i16x8_s(pair, w))
}

/** y + float(sums) · scales, 8 outputs */
@inline
function empty(y: usize, low: v128, high: v128, scale0: v128, scale1: v128): void {
  v128.store(y, madd(f32x4.convert_i32x4_s(low), scale0, v128.load(y)))
  v128.store(y, madd(f32x4.convert_i32x4_s(high), scale1, v128.load(y, 16)), 16)
}

/** y (rows, 8) += x · w. x: rows of (blocks · 32, 4, 2), w: (blocks · 32, 8, 2), scale: (blocks, 8) */
function tile4<T>(x: usize, w: usize, scale: usize, blocks: usize, interval: usize, y: usize, stride: usize): void {
  tileOf<T>(4, x, w, scale, blocks, interval, y, stride)
}

function tile2<T>(x: usize, w: usize, scale: usize, blocks: usize, interval: usize, y: usize, stride: usize): void {
  tileOf<T>(2, x, w, scale, blocks, interval, y, stride)
}

function tile1<T>(x: usize, w: usize, scale: usize, blocks: usize, interval: usize, y: usize, stride: usize): void {
  tileOf<T>(1, x, w, scale, blocks, interval, y, stride)
}

/** `rows`, 1, 2 or 4, is a constant: the compiler drops what such a tile does not need. */
@inline
function tileOf<T>(rows: i32, x: usize, w: usize, scale: usize, blocks: usize, interval: usize, y: usize, stride: usize): void {
  const last = x + (blocks << 9)
  while (x < last) {
    let a0 = i32x4.splat(0)
    let a1 = a0
    let b0 = a0
    let b1 = a0
    let c0 = a0
    let c1 = a0
    let d0 = a0
    let d1 = a0
    for (const end = min(last, x + (interval << 9)); x < end; x += 16) {
      const w0 = pairs<T>(w)
      const w1 = pairs<T>(w + (sizeof<T>() << 3))
      w += sizeof<T>() << 4
      let s = v128.load32_splat(x)
      a0 = dot(a0, s, w0)
      a1 = dot(a1, s, w1)
      if (rows > 1) {
        s = v128.load32_splat(x, 4)
        b0 = dot(b0, s, w0)
        b1 = dot(b1, s, w1)
      }
      if (rows > 2) {
        s = v128.load32_splat(x, 8)
        c0 = dot(c0, s, w0)
        c1 = dot(c1, s, w1)
        s = v128.load32_splat(x, 12)
        d0 = dot(d0, s, w0)
        d1 = dot(d1, s, w1)
      }
    }
    const scale0 = v128.load(scale)
    const scale1 = v128.load(scale, 16)
    scale += interval << 5
    let at = y
    empty(at, a0, a1, scale0, scale1)
    if (rows > 1) empty((at += stride), b0, b1, scale0, scale1)
    if (rows > 2) {
      empty((at += stride), c0, c1, scale0, scale1)
      empty((at += stride), d0, d1, scale0, scale1)
    }
  }
}
