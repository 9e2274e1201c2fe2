import { activate4 } from '../activation.as'
import { param, scratchAddress } from '../common.as'
import { loadPanel } from '../panel.as'
import { multiplyBlock, packBlock, packedDepth, packs, rowBytes } from '../tiles.as'
import { add, combine, finish, finishTail } from './finish.as'

// One unit is `rowBlock` rows of x by `panelBlock` panels of the weight. Units that follow each other share their panels: these
// come from memory once, and x, which is smaller, comes from a cache again.

/** Rows of x that meet a panel while it is in cache. */
const rowBlock: i32 = 48
/** Panels of 8 columns in a unit, at most. */
const mostPanels: i32 = 16

/** Columns of x that are worked off before the next: what a panel is unpacked of. */
const mostDepth: usize = 4096

/**
 * x (rows, width) · weightᵀ → y (rows, out), then bias, activation or gate, residual.
 * Parameters: x, rows, width, weight, weight dtype (0 f32, 1 f16, 2 bf16), out, bias, activation, gate (0 none), residual, y,
 * panels in a unit. Addresses are 0 where there is nothing. A gate needs out to be a multiple of 8.
 */
export function linear(parameters: usize, from: i32, to: i32): void {
  const x = param(parameters, 0)
  const rows = <i32>param(parameters, 1)
  const width = param(parameters, 2)
  const weight = param(parameters, 3)
  const dtype = param(parameters, 4)
  const out = <i32>param(parameters, 5)
  const gate = param(parameters, 8)
  const y = param(parameters, 10)
  const panelBlock = <i32>param(parameters, 11)

  const panels = (out + 7) >> 3
  const stripes = (rows + rowBlock - 1) / rowBlock
  const element: usize = dtype ? 1 : 2 // log₂ of its bytes
  const panelBytes = width << (3 + element)
  const xStride = width << 2
  const packing = packs()
  const depth = packing ? packedDepth : mostDepth
  const sourceStride = packing ? rowBytes : xStride
  const yStride = <usize>out << 2
  // (mostPanels, rowBlock, 8) sums of the gate's second half, or of the one panel that sticks out of y
  const spare = scratchAddress()
  const unpacked = spare + mostPanels * rowBlock * 32
  const packed = unpacked + mostDepth * 32
  let packedRow = -1
  for (let unit = from; unit < to; unit++) {
    const row0 = (unit % stripes) * rowBlock
    const count = min(rows - row0, rowBlock)
    const panel0 = (unit / stripes) * panelBlock
    const panelEnd = min(panels, panel0 + panelBlock)
    const target = y + <usize>row0 * yStride
    const nextBytes = row0 ? 0 : 8 << <i32>element // the first rows bring the panels, the others find them
    for (let k: usize = 0; k == 0 || k < width; k += depth) {
      const part = min(depth, width - k)
      let source = x + <usize>row0 * xStride + (k << 2)
      if (packing) {
        if (row0 != packedRow || width > depth) packBlock(source, xStride, count, part, packed)
        packedRow = row0
        source = packed
      }
      for (let panel = panel0; panel < panelEnd; panel++) {
        const whole = (panel << 3) + 8 <= out
        const sums = spare + <usize>((panel - panel0) * rowBlock << 5)
        const place = whole ? target + (<usize>panel << 5) : sums
        const first = weight + <usize>panel * panelBytes + (k << (3 + element))
        const second = first + <usize>panels * panelBytes
        const next = panel + 1 < panels ? first + panelBytes : first
        const w = loadPanel(first, dtype, part, unpacked)
        multiplyBlock(count, source, sourceStride, w, part, place, whole ? yStride : 32, k > 0, gate ? second : next, nextBytes)
        if (gate) {
          const v = loadPanel(second, dtype, part, unpacked)
          multiplyBlock(count, source, sourceStride, v, part, sums, 32, k > 0, next, nextBytes)
        }
      }
    }
    for (let panel = panel0; panel < panelEnd; panel++) {
      finishPanel(parameters, row0, count, panel, spare + <usize>((panel - panel0) * rowBlock << 5))
    }
  }
}

/** count rows from row0 on of one panel: what follows the sums. spare: the gate's second half, or sums that stick out of y */
function finishPanel(parameters: usize, row0: i32, count: i32, panel: i32, spare: usize): void {
  const out = <i32>param(parameters, 5)
  const bias = param(parameters, 6)
  const activation = param(parameters, 7)
  const gate = param(parameters, 8)
  const residual = param(parameters, 9)
  const stride = <usize>out << 2
  const column = panel << 3
  const offset = <usize>row0 * stride + (<usize>column << 2)
  const y = param(parameters, 10) + offset
  const added = residual ? residual + offset : 0
  if (gate) {
    combine(count, y, stride, bias, column, out, gate, spare)
    if (residual) add(count, y, stride, added, stride)
  } else {
    const b = bias ? bias + (<usize>column << 2) : 0
    if (column + 8 <= out) finish(count, y, stride, b, activation, added, stride)
    else finishTail(count, spare, out - column, b, activation, added, y, stride)
  }
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
