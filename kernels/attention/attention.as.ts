import { param, paramF32, scratchAddress } from '../common.as'
import { multiplyTile, nextTile, packedDepth, rowBytes } from '../tiles.as'
import { keysOf, sequenceOf, statisticsOf, tableAt, valuesOf } from './pack.as'
import { boundPiece, boundRest, boundRows, leavePiece, measurePeaks, withinBound } from './rest.as'
import {
  finishRows,
  joinSums,
  keyBlock,
  keyPositions,
  packedQueries,
  queryBytes,
  restOf,
  rowBlock,
  rowCorrection,
  softmaxTile,
  startRows,
  sumsOf,
  tileScores,
  tileSums,
} from './rows.as'

export { attentionPack } from './pack.as'

/**
 * Softmax over running maxima and sums (Milakov and Gimelshein, "Online normalizer calculation for softmax", 2018). One unit is
 * 24 queries of one sequence and head against all its keys, in blocks of 64 from the sequence's own start. With slopes the walk
 * starts at the queries' own block and goes outwards by turns. Parameters: see attentionPack.
 */
export function attention(parameters: usize, from: i32, to: i32): void {
  const heads = <i32>param(parameters, 9)
  const headDim = param(parameters, 10)
  const offsets = param(parameters, 1)
  const hidden = <usize>heads * headDim
  for (let unit = from; unit < to; unit++) {
    const s = sequenceOf(parameters, 2, unit)
    const first = load<i32>(offsets + (<usize>s << 2))
    const length = load<i32>(offsets + (<usize>s << 2), 4) - first
    const blocks = tableAt(parameters, s + 1, 2) - tableAt(parameters, s, 2)
    const place = unit - tableAt(parameters, s, 2) * heads
    const head = place / blocks
    const row = (place % blocks) * rowBlock
    const rows = min(rowBlock, length - row)
    if (!attend(parameters, s, head, row, true)) attend(parameters, s, head, row, false)
    const y = param(parameters, 4) + (<usize>(first + row) * hidden + <usize>head * headDim) * 4
    finishRows(y, hidden << 2, rows, headDim)
  }
}

/**
 * Queries from `row` on: their maxima, sums and weighted values into scratch memory. False if it turned out that keys were left
 * out that count.
 */
function attend(parameters: usize, s: i32, head: i32, row: i32, mayLeave: bool): bool {
  const headDim = param(parameters, 10)
  const hidden = param(parameters, 9) * headDim
  const scale = paramF32(parameters, 11)
  const offset = param(parameters, 1) + (<usize>s << 2)
  const first = load<i32>(offset)
  const length = load<i32>(offset, 4) - first
  const rows = min(rowBlock, length - row)
  const stride = hidden * 12
  const positions = param(parameters, 2) + (<usize>first << 2)
  const slope: f32 = param(parameters, 3) ? load<f32>(param(parameters, 3) + (<usize>head << 2)) : 0
  const queries = param(parameters, 0) + <usize>(first + row) * stride + (<usize>head * headDim << 2)
  const blocks = (length + keyBlock - 1) / keyBlock
  const start = slope > 0 ? row / keyBlock : 0
  const leaving = mayLeave && param(parameters, 7) != 0 && slope > 0 && blocks > 2
  const statistics = leaving ? statisticsOf(parameters, s, head) : 0
  const rest = restOf(headDim)

  startRows(queries, stride, rows, headDim, positions + (<usize>row << 2))
  if (leaving) {
    boundRows(queries, stride, rows, headDim, scale)
    boundRest(statistics, blocks, start, rest)
  }
  let left = start - 1
  let right = start
  let rightNext = true
  let leftOut: f32 = -1 // largest |v| that was left out
  while (left >= 0 || right < blocks) {
    const toRight = left < 0 || (rightNext && right < blocks)
    rightNext = !toRight
    const block = toRight ? right : left
    // beside the queries: to the left every block is, their first one is in block `start`
    if (leaving && (!toRight || block * keyBlock >= row + rows)) {
      const at = <usize>block << 3
      const nearest = load<i32>(positions + (<usize>(toRight ? block * keyBlock : block * keyBlock + keyBlock - 1) << 2))
      const keys = toRight ? length - block * keyBlock : (block + 1) * keyBlock
      let value = leave(rest + at, leftOut, rows, headDim, nearest, keys, slope, 2)
      if (value >= 0) {
        leftOut = value
        if (toRight) right = blocks
        else left = -1
        continue
      }
      value = leave(statistics + at, leftOut, rows, headDim, nearest, min(keys, keyBlock), slope, 8)
      if (value >= 0) {
        leftOut = value
        if (toRight) right++
        else left--
        continue
      }
    }
    attendBlock(
      keysOf(parameters, s, head) + (<usize>(block * keyBlock) * headDim << 2),
      valuesOf(parameters, first, length, head) + <usize>(block * keyBlock) * ((headDim + 7) >> 3 << 5),
      positions + (<usize>(block * keyBlock) << 2),
      min(keyBlock, length - block * keyBlock),
      rows,
      headDim,
      scale,
      slope,
    )
    if (toRight) right++
    else left--
  }
  if (leftOut < 0) return true
  measurePeaks(headDim)
  return withinBound(rows, leftOut)
}

/**
 * Leaves out a piece of `keys` keys with the statistics at `piece`, if it takes no more than the `portion`th part of what may
 * still be left out; then the largest |v| of everything left out, which was `leftOut` before; else -1.
 */
function leave(
  piece: usize,
  leftOut: f32,
  rows: i32,
  headDim: usize,
  nearest: i32,
  keys: i32,
  slope: f32,
  portion: f32,
): f32 {
  if (!boundPiece(rows, load<f32>(piece), nearest, keys, slope, portion)) return -1
  measurePeaks(headDim)
  const value = max<f32>(leftOut, load<f32>(piece, 4))
  return leavePiece(rows, value, portion) ? value : -1
}

/** `rows` queries against `count` keys */
function attendBlock(
  keys: usize,
  values: usize,
  positions: usize,
  count: i32,
  rows: i32,
  headDim: usize,
  scale: f32,
  slope: f32,
): void {
  const state = scratchAddress()
  const scores = state + tileScores
  const panels = (headDim + 7) >> 3
  const keyPanels = (count + 7) >> 3
  let q = state + packedQueries
  let sums = sumsOf(headDim)
  if (slope != 0) {
    const end = <usize>count << 2
    for (let j: usize = 0; j < end; j += 4) store<i32>(state + j, load<i32>(positions + j), keyPositions)
  }
  for (let row = 0; row < rows; ) {
    const tile = nextTile(rows - row)
    for (let p = 0, k = keys; p < keyPanels; p++) {
      const target = scores + (<usize>p << 5)
      for (let d: usize = 0, part = q; d < headDim; d += packedDepth) {
        const width = min(packedDepth, headDim - d)
        multiplyTile(tile, part, rowBytes, k, width, target, rowBytes, d > 0, 0, 0)
        part += queryBytes
        k += width << 5
      }
    }
    softmaxTile(row, tile, count, scale, slope)
    const corrections = state + (<usize>row << 2) + rowCorrection
    // a block's shares are summed up first: many small ones added to a large sum one by one would be lost
    for (let p: usize = 0, v = values, all = sums; p < panels; p++) {
      multiplyTile(tile, scores, rowBytes, v, count, state + tileSums, 32, false, 0, 0)
      joinSums(tile, state + tileSums, corrections, all)
      v += <usize>count << 5
      all += rowBlock << 5
    }
    q += <usize>tile * rowBytes
    sums += <usize>tile << 5
    row += tile
  }
}
