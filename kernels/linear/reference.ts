import type { DtypeArray } from '../../runtime/dtype.ts'
import { scaleColumns, scalesPerRow } from '../../runtime/quantize.ts'
import type { FloatReader, ReferenceKernel } from '../../runtime/reference/kernel.ts'
import { activate } from '../activation.ts'
import type { LinearParameters } from './linear.ts'

/** A unit of work is this many rows of x by this many columns of y: a millisecond or two at the model's widths. */
const rowBlock = 16
const columnBlock = 32

export const linearReference: ReferenceKernel<LinearParameters> = (
  { x, weight, scale, bias, activation, gate, residual, y },
  access,
) => {
  const [rows = 0, width = 0] = x.shape
  const out = y.shape[1] ?? 0
  const xs = access.f32(x)
  const weights = scale ? dequantised(access.any(weight), access.f32(scale), width) : access.floats(weight)
  const shift = bias && access.f32(bias)
  const added = residual && access.f32(residual)
  const ys = access.f32(y)
  const block = new Float32Array(weights.array ? 0 : columnBlock * width)
  const sums = new Float64Array(rowBlock * columnBlock)
  const gated = new Float64Array(gate ? rowBlock * columnBlock : 0)
  const columnBlocks = Math.ceil(out / columnBlock)

  return {
    units: Math.ceil(rows / rowBlock) * columnBlocks,
    run(from, to) {
      for (let unit = from; unit < to; unit++) {
        const row = Math.floor(unit / columnBlocks) * rowBlock
        const column = (unit % columnBlocks) * columnBlock
        const count = Math.min(rowBlock, rows - row)
        const columns = Math.min(columnBlock, out - column)
        multiply(xs, row, count, width, weights, column, columns, block, sums)
        if (gate) multiply(xs, row, count, width, weights, column + out, columns, block, gated)
        for (let r = 0; r < count; r++) {
          for (let c = 0; c < columns; c++) {
            const n = column + c
            let value = sums[r * columnBlock + c]! + (shift ? shift[n]! : 0)
            if (activation) value = activate(activation, value)
            if (gate) value = activate(gate, value) * (gated[r * columnBlock + c]! + (shift ? shift[n + out]! : 0))
            const target = (row + r) * out + n
            ys[target] = added ? value + added[target]! : value
          }
        }
      }
    },
  }
}

/** codes: (out, width), scales: (out, ⌈width / 64⌉). Whole rows are copied. */
function dequantised(codes: DtypeArray, scales: Float32Array, width: number): FloatReader {
  const perRow = scalesPerRow(width)
  return {
    array: undefined,
    copy(start, length, target) {
      let row = start / width
      for (let i = 0; i < length; i += width, row++) {
        for (let k = 0; k < width; k++) {
          target[i + k] = codes[start + i + k]! * scales[row * perRow + Math.floor(k / scaleColumns)]!
        }
      }
    },
  }
}

/**
 * sums (count, columns), columnBlock apart = x rows `row` … · weight rows `first` …ᵀ, each sum in float64 over ascending k.
 * block: room for `columnBlock` rows of a weight that is not stored in f32
 */
function multiply(
  xs: Float32Array,
  row: number,
  count: number,
  width: number,
  weights: FloatReader,
  first: number,
  columns: number,
  block: Float32Array,
  sums: Float64Array,
): void {
  if (!weights.array) weights.copy(first * width, columns * width, block)
  const ws = weights.array ?? block
  const w0 = weights.array ? first * width : 0
  for (let r = 0; r < count; r += 2) {
    const x0 = (row + r) * width
    const x1 = r + 1 < count ? x0 + width : x0 // an odd last row is done twice and kept once
    let c = 0
    for (; c + 3 < columns; c += 4) tile2x4(xs, x0, x1, ws, w0 + c * width, width, sums, r * columnBlock + c)
    for (; c < columns; c++) {
      sums[r * columnBlock + c] = dot(xs, x0, ws, w0 + c * width, width)
      sums[(r + 1) * columnBlock + c] = dot(xs, x1, ws, w0 + c * width, width)
    }
  }
}

/** Two rows of x by four rows of w at once: eight independent sums hide the latency of an addition. */
function tile2x4(
  xs: Float32Array,
  x0: number,
  x1: number,
  ws: Float32Array,
  w0: number,
  width: number,
  sums: Float64Array,
  target: number,
): void {
  const w1 = w0 + width
  const w2 = w1 + width
  const w3 = w2 + width
  let a0 = 0
  let a1 = 0
  let a2 = 0
  let a3 = 0
  let b0 = 0
  let b1 = 0
  let b2 = 0
  let b3 = 0
  for (let k = 0; k < width; k++) {
    const a = xs[x0 + k]!
    const b = xs[x1 + k]!
    const p = ws[w0 + k]!
    const q = ws[w1 + k]!
    const r = ws[w2 + k]!
    const s = ws[w3 + k]!
    a0 += a * p
    a1 += a * q
    a2 += a * r
    a3 += a * s
    b0 += b * p
    b1 += b * q
    b2 += b * r
    b3 += b * s
  }
  sums[target] = a0
  sums[target + 1] = a1
  sums[target + 2] = a2
  sums[target + 3] = a3
  sums[target + columnBlock] = b0
  sums[target + columnBlock + 1] = b1
  sums[target + columnBlock + 2] = b2
  sums[target + columnBlock + 3] = b3
}

function dot(xs: Float32Array, x0: number, ws: Float32Array, w0: number, width: number): number {
  let sum = 0
  for (let k = 0; k < width; k++) sum += xs[x0 + k]! * ws[w0 + k]!
  return sum
}
