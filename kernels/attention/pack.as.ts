import { madd, param } from '../common.as'
import { keyBlock } from './rows.as'

// Both steps have the same parameters: qkv, offsets, positions, slopes (0: none), y, keys, values, statistics (0: no
// skipping), sequences, heads, headDim, scale (a float), then per sequence and once past the last: its first panel of 8 keys,
// its first block of keys, its first block of queries, each counted for one head.
export const tableStart: usize = 12 << 2

/** Word `column` of sequence s in the table. */
@inline
export function tableAt(parameters: usize, s: i32, column: usize): i32 {
  return load<i32>(parameters + tableStart + (<usize>s * 3 + column) * 4)
}

/** The sequence that the unit belongs to; units of a sequence: heads times its blocks, which `column` counts. */
export function sequenceOf(parameters: usize, column: usize, unit: i32): i32 {
  const heads = <i32>param(parameters, 9)
  let low = 0
  let high = <i32>param(parameters, 8) - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (tableAt(parameters, middle, column) * heads <= unit) low = middle
    else high = middle - 1
  }
  return low
}

/** Where the keys of a sequence and head begin: (panels, headDim, 8). */
@inline
export function keysOf(parameters: usize, s: i32, head: i32): usize {
  const first = tableAt(parameters, s, 0)
  const panels = tableAt(parameters, s + 1, 0) - first
  return param(parameters, 5) + (<usize>(first * <i32>param(parameters, 9) + head * panels) * param(parameters, 10) << 5)
}

/** Where the values of a sequence and head begin: per block of keys (⌈headDim / 8⌉, keys, 8). */
@inline
export function valuesOf(parameters: usize, first: i32, length: i32, head: i32): usize {
  const panels = (param(parameters, 10) + 7) >> 3
  return param(parameters, 6) + (<usize>(first * <i32>param(parameters, 9) + head * length) * panels << 5)
}

/** Where the statistics of a sequence and head begin: (blocks, 2), the largest norm of a key, the largest |v|. */
@inline
export function statisticsOf(parameters: usize, s: i32, head: i32): usize {
  const first = tableAt(parameters, s, 1)
  const blocks = tableAt(parameters, s + 1, 1) - first
  return param(parameters, 7) + (<usize>(first * <i32>param(parameters, 9) + head * blocks) << 3)
}

/**
 * Puts keys and values where the tiles read them in order. One unit is a block of keys of one sequence and head; keys beyond
 * the sequence are filled up with zeros to a panel.
 */
export function attentionPack(parameters: usize, from: i32, to: i32): void {
  const qkv = param(parameters, 0)
  const offsets = param(parameters, 1)
  const heads = <i32>param(parameters, 9)
  const headDim = param(parameters, 10)
  const hidden = <usize>heads * headDim
  const stride = hidden * 12
  for (let unit = from; unit < to; unit++) {
    const s = sequenceOf(parameters, 1, unit)
    const first = load<i32>(offsets + (<usize>s << 2))
    const length = load<i32>(offsets + (<usize>s << 2), 4) - first
    const blocks = tableAt(parameters, s + 1, 1) - tableAt(parameters, s, 1)
    const place = unit - tableAt(parameters, s, 1) * heads
    const head = place / blocks
    const block = place % blocks
    const key = block * keyBlock
    const count = min(keyBlock, length - key)
    const source = qkv + <usize>(first + key) * stride + (hidden + <usize>head * headDim) * 4
    const keys = keysOf(parameters, s, head) + (<usize>key * headDim << 2)
    const values = valuesOf(parameters, first, length, head) + <usize>key * ((headDim + 7) >> 3 << 5)
    const norm = packKeys(source, stride, count, headDim, keys)
    const largest = packValues(source + hidden * 4, stride, count, headDim, values)
    if (param(parameters, 7)) {
      const statistics = statisticsOf(parameters, s, head) + (<usize>block << 3)
      store<f32>(statistics, norm)
      store<f32>(statistics, largest, 4)
    }
  }
}

/** (count, headDim), rows `stride` bytes apart → panels (⌈count / 8⌉, headDim, 8); at least the largest norm of a row */
function packKeys(source: usize, stride: usize, count: i32, headDim: usize, panel: usize): f32 {
  let largest = f32x4.splat(0)
  for (; count > 0; count -= 8) {
    if (count >= 8) {
      transpose4(source, stride, headDim, panel)
      transpose4(source + (stride << 2), stride, headDim, panel + 16)
    } else {
      memory.fill(panel, 0, headDim << 5)
      for (let row: usize = 0; row < <usize>count; row++) {
        const from = source + row * stride
        for (let d: usize = 0; d < headDim; d++) store<f32>(panel + (d << 5) + (row << 2), load<f32>(from + (d << 2)))
      }
    }
    // 2^-126 for each square that may have been lost to underflow
    let a = f32x4.splat(<f32>headDim * 1.17549435e-38)
    let b = a
    const end = panel + (headDim << 5)
    for (; panel < end; panel += 32) {
      const x0 = v128.load(panel)
      const x1 = v128.load(panel, 16)
      a = madd(x0, x0, a)
      b = madd(x1, x1, b)
    }
    largest = f32x4.max(largest, f32x4.max(a, b)) // keeps NaN
    source += stride << 3
  }
  return sqrt<f32>(
    max(
      max(f32x4.extract_lane(largest, 0), f32x4.extract_lane(largest, 1)),
      max(f32x4.extract_lane(largest, 2), f32x4.extract_lane(largest, 3)),
    ),
  )
}

/** (4, headDim), rows `stride` bytes apart → (headDim, 4), rows 32 bytes apart */
function transpose4(source: usize, stride: usize, headDim: usize, target: usize): void {
  const end = source + (headDim << 2)
  for (; source + 16 <= end; source += 16) {
    const a = v128.load(source)
    const b = v128.load(source + stride)
    const c = v128.load(source + 2 * stride)
    const e = v128.load(source + 3 * stride)
    const low0 = v128.shuffle<f32>(a, b, 0, 4, 1, 5)
    const high0 = v128.shuffle<f32>(a, b, 2, 6, 3, 7)
    const low1 = v128.shuffle<f32>(c, e, 0, 4, 1, 5)
    const high1 = v128.shuffle<f32>(c, e, 2, 6, 3, 7)
    v128.store(target, v128.shuffle<f32>(low0, low1, 0, 1, 4, 5))
    v128.store(target, v128.shuffle<f32>(low0, low1, 2, 3, 6, 7), 32)
    v128.store(target, v128.shuffle<f32>(high0, high1, 0, 1, 4, 5), 64)
    v128.store(target, v128.shuffle<f32>(high0, high1, 2, 3, 6, 7), 96)
    target += 128
  }
  for (; source < end; source += 4) {
    store<f32>(target, load<f32>(source))
    store<f32>(target, load<f32>(source + stride), 4)
    store<f32>(target, load<f32>(source + 2 * stride), 8)
    store<f32>(target, load<f32>(source + 3 * stride), 12)
    target += 32
  }
}

/**
 * (count, headDim), rows `stride` bytes apart → panels (⌈headDim / 8⌉, count, 8), the last filled up with
 * zeros; the largest absolute value, NaN where one is not finite
 */
function packValues(source: usize, stride: usize, count: i32, headDim: usize, target: usize): f32 {
  const panelBytes = <usize>count << 5
  let largest = f32x4.splat(0)
  let odd = f32x4.splat(0) // 0 · x: NaN where x is not finite
  for (let j = 0; j < count; j++) {
    let d: usize = 0
    let place = target
    for (; d + 8 <= headDim; d += 8) {
      const v0 = v128.load(source + (d << 2))
      const v1 = v128.load(source + (d << 2), 16)
      v128.store(place, v0)
      v128.store(place, v1, 16)
      largest = f32x4.pmax(f32x4.pmax(largest, f32x4.abs(v0)), f32x4.abs(v1))
      odd = madd(v1, f32x4.splat(0), madd(v0, f32x4.splat(0), odd))
      place += panelBytes
    }
    if (d < headDim) {
      v128.store(place, f32x4.splat(0))
      v128.store(place, f32x4.splat(0), 16)
      for (; d < headDim; d++) {
        store<f32>(place, load<f32>(source + (d << 2)))
        const v = v128.load32_splat(place)
        largest = f32x4.pmax(largest, f32x4.abs(v))
        odd = madd(v, f32x4.splat(0), odd)
        place += 4
      }
    }
    source += stride
    target += 32
  }
  largest = f32x4.add(largest, odd)
  return max(
    max(f32x4.extract_lane(largest, 0), f32x4.extract_lane(largest, 1)),
    max(f32x4.extract_lane(largest, 2), f32x4.extract_lane(largest, 3)),
  )
}
