import { activate4, madd, param, scratchAddress } from '../common.as'
import { loadPanel } from '../panel.as'
import { add, combine, finish, finishTail, store8 } from './finish.as'

// One unit is `rowBlock` rows of x by `panelBlock` panels of the weight. Every output is one chain of multiply-adds over k in
// ascending order, whatever tile computes it, so tiles of all shapes give the same bits.

/** Rows of x that are worked off while a panel is in cache. A multiple of 6 and of 4. */
const rowBlock: i32 = 48
/** Rows of the register tile: all shapes give the same bits. Six need 15 registers, which fit only with fused multiply-adds. */
const tile: i32 = ASC_FEATURE_RELAXED_SIMD ? 6 : 4
/** Panels of 8 columns in a unit. */
const panelBlock: i32 = 4

/**
 * x (rows, width) · weightᵀ → y (rows, out), then bias, activation or gate, residual.
 * Parameters: x, rows, width, weight, weight dtype (0 f32, 1 f16, 2 bf16), out, bias, activation, gate (0 none), residual, y.
 * Addresses are 0 where there is nothing. A gate needs out to be a multiple of 8.
 */
export function linear(parameters: usize, from: i32, to: i32): void {
  const x = param(parameters, 0)
  const rows = <i32>param(parameters, 1)
  const width = param(parameters, 2)
  const weight = param(parameters, 3)
  const dtype = param(parameters, 4)
  const out = <i32>param(parameters, 5)
  const bias = param(parameters, 6)
  const activation = param(parameters, 7)
  const gate = param(parameters, 8)
  const residual = param(parameters, 9)
  const y = param(parameters, 10)

  const panels = (out + 7) >> 3
  const groups = (panels + panelBlock - 1) / panelBlock
  const panelBytes = (width << 5) >> (dtype ? 1 : 0)
  const xStride = width << 2
  const yStride = <usize>out << 2
  const tail = scratchAddress() // 8 rows of 8 columns for panels that stick out
  const unpacked = tail + 256
  for (let unit = from; unit < to; unit++) {
    const row0 = (unit / groups) * rowBlock
    const rowEnd = min(rows, row0 + rowBlock)
    const panel0 = (unit % groups) * panelBlock
    const panelEnd = min(panels, panel0 + panelBlock)
    for (let panel = panel0; panel < panelEnd; panel++) {
      const column = panel << 3
      const whole = column + 8 <= out
      const first = loadPanel(weight + <usize>panel * panelBytes, dtype, width, unpacked)
      const second = gate ? loadPanel(weight + <usize>(panel + panels) * panelBytes, dtype, width, unpacked + (width << 5)) : 0
      for (let row = row0; row < rowEnd; ) {
        const left = rowEnd - row
        const count = left >= tile ? tile : left >= 4 ? 4 : left >= 2 ? 2 : 1
        const source = x + <usize>row * xStride
        const place = y + <usize>row * yStride + (<usize>column << 2)
        const target = whole ? place : tail
        const stride = whole ? yStride : 32
        multiply(count, source, xStride, first, width, target, stride)
        if (gate) {
          // y holds the first half while the second is computed into scratch
          multiply(count, source, xStride, second, width, tail, 32)
          combine(count, target, stride, bias, column, out, gate, tail)
          if (residual) add(count, target, stride, residual + <usize>row * yStride + (<usize>column << 2), yStride)
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

/** count rows (6, 4, 2, 1) of x times one panel (width, 8) → count rows of 8 at target */
@inline
function multiply(count: i32, x: usize, xStride: usize, w: usize, width: usize, target: usize, stride: usize): void {
  if (count == 6) tile6(x, xStride, w, width, target, stride)
  else if (count == 4) tile4(x, xStride, w, width, target, stride)
  else if (count == 2) tile2(x, xStride, w, width, target, stride)
  else tile1(x, w, width, target)
}

/** (6, width) · (width, 8) → (6, 8) */
export function tile6(x: usize, xStride: usize, w: usize, width: usize, y: usize, stride: usize): void {
  let a0 = f32x4.splat(0)
  let a1 = a0
  let b0 = a0
  let b1 = a0
  let c0 = a0
  let c1 = a0
  let d0 = a0
  let d1 = a0
  let e0 = a0
  let e1 = a0
  let f0 = a0
  let f1 = a0
  const x1 = x + xStride
  const x2 = x1 + xStride
  const x3 = x2 + xStride
  const x4 = x3 + xStride
  const x5 = x4 + xStride
  for (let i: usize = 0, end = width << 2; i < end; i += 4) {
    const w0 = v128.load(w)
    const w1 = v128.load(w, 16)
    w += 32
    let s = v128.load32_splat(x + i)
    a0 = madd(s, w0, a0)
    a1 = madd(s, w1, a1)
    s = v128.load32_splat(x1 + i)
    b0 = madd(s, w0, b0)
    b1 = madd(s, w1, b1)
    s = v128.load32_splat(x2 + i)
    c0 = madd(s, w0, c0)
    c1 = madd(s, w1, c1)
    s = v128.load32_splat(x3 + i)
    d0 = madd(s, w0, d0)
    d1 = madd(s, w1, d1)
    s = v128.load32_splat(x4 + i)
    e0 = madd(s, w0, e0)
    e1 = madd(s, w1, e1)
    s = v128.load32_splat(x5 + i)
    f0 = madd(s, w0, f0)
    f1 = madd(s, w1, f1)
  }
  store8(y, a0, a1)
  store8((y += stride), b0, b1)
  store8((y += stride), c0, c1)
  store8((y += stride), d0, d1)
  store8((y += stride), e0, e1)
  store8((y += stride), f0, f1)
}

/** (4, width) · (width, 8) → (4, 8) */
export function tile4(x: usize, xStride: usize, w: usize, width: usize, y: usize, stride: usize): void {
  let a0 = f32x4.splat(0)
  let a1 = a0
  let b0 = a0
  let b1 = a0
  let c0 = a0
  let c1 = a0
  let d0 = a0
  let d1 = a0
  const x1 = x + xStride
  const x2 = x1 + xStride
  const x3 = x2 + xStride
  for (let i: usize = 0, end = width << 2; i < end; i += 4) {
    const w0 = v128.load(w)
    const w1 = v128.load(w, 16)
    w += 32
    let s = v128.load32_splat(x + i)
    a0 = madd(s, w0, a0)
    a1 = madd(s, w1, a1)
    s = v128.load32_splat(x1 + i)
    b0 = madd(s, w0, b0)
    b1 = madd(s, w1, b1)
    s = v128.load32_splat(x2 + i)
    c0 = madd(s, w0, c0)
    c1 = madd(s, w1, c1)
    s = v128.load32_splat(x3 + i)
    d0 = madd(s, w0, d0)
    d1 = madd(s, w1, d1)
  }
  store8(y, a0, a1)
  store8((y += stride), b0, b1)
  store8((y += stride), c0, c1)
  store8((y += stride), d0, d1)
}

/** (2, width) · (width, 8) → (2, 8) */
export function tile2(x: usize, xStride: usize, w: usize, width: usize, y: usize, stride: usize): void {
  let a0 = f32x4.splat(0)
  let a1 = a0
  let b0 = a0
  let b1 = a0
  const x1 = x + xStride
  for (let i: usize = 0, end = width << 2; i < end; i += 4) {
    const w0 = v128.load(w)
    const w1 = v128.load(w, 16)
    w += 32
    let s = v128.load32_splat(x + i)
    a0 = madd(s, w0, a0)
    a1 = madd(s, w1, a1)
    s = v128.load32_splat(x1 + i)
    b0 = madd(s, w0, b0)
    b1 = madd(s, w1, b1)
  }
  store8(y, a0, a1)
  store8(y + stride, b0, b1)
}

/** (width) · (width, 8) → (8) */
export function tile1(x: usize, w: usize, width: usize, y: usize): void {
  let a0 = f32x4.splat(0)
  let a1 = a0
  for (let i: usize = 0, end = width << 2; i < end; i += 4) {
    const s = v128.load32_splat(x + i)
    a0 = madd(s, v128.load(w), a0)
    a1 = madd(s, v128.load(w, 16), a1)
    w += 32
  }
  store8(y, a0, a1)
}

/**
 * What a gate does where its halves do not start at a panel. One unit is one row: y = gate(first half) · second half + residual.
 * Parameters: x (rows, 2 · out), out, gate, residual or 0, y.
 */
export function linearGate(parameters: usize, from: i32, to: i32): void {
  const x = param(parameters, 0)
  const out = param(parameters, 1)
  const gate = param(parameters, 2)
  const residual = param(parameters, 3)
  const y = param(parameters, 4)
  for (let row = from; row < to; row++) {
    const first = x + <usize>row * (out << 3)
    const place = <usize>row * (out << 2)
    for (let i: usize = 0, end = out << 2; i < end; i += 4) {
      let value = f32x4.mul(activate4(gate, v128.load32_splat(first + i)), v128.load32_splat(first + (out << 2) + i))
      if (residual) value = f32x4.add(value, v128.load32_splat(residual + place + i))
      v128.store32_lane(y + place + i, value, 0)
    }
  }
}
