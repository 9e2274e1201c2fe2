import { madd } from './common.as'

// The register tiles that all matrix products are made of: up to 8 rows of x by one panel of 8 columns. Every output is one
// chain of multiply-adds over k in ascending order, whatever the number of rows, so all shapes give the same bits.

/** Bytes from one packed row to the next. No multiple of 4 KiB: such rows would share a few places of the first-level cache. */
export const rowBytes: usize = 4160
/** Columns of x that are worked off before the next: what packed rows hold. */
export const packedDepth: usize = 1024

let most: i32 = 4
let packing: bool = false

/**
 * The shape of the tiles: rows of the largest, 1 to 8, plus 256 if the rows of x are to be packed, with at most 5 rows. The
 * host calls it on every instance with what it found fastest (runtime/wasm/tile-choice.ts).
 */
export function setTile(shape: i32): void {
  most = shape & 255
  packing = shape > 255
}

/**
 * Whether the rows of x have to lie `rowBytes` apart. A constant distance becomes part of the load instruction, so that one
 * address serves all rows of a tile. Where a multiply-add is two instructions, the additions that an address per row takes find
 * no free place: without them tiles of 4 and 5 rows are 7 and 20 % faster in V8 11, 3 and 7 % in V8 13, and packing takes 2 to
 * 4 % of that. Beside fused multiply-adds the additions cost nothing, and JavaScriptCore adds constants like anything
 * else: there packing only costs.
 */
@inline
export function packs(): bool {
  return packing
}

/** Rows of the next tile, `left` being left: as even as they can be. */
@inline
export function nextTile(left: i32): i32 {
  if (left <= most) return left
  const tiles = (left + most - 1) / most
  return (left + tiles - 1) / tiles
}

/** x (rows, width), rows `stride` bytes apart, width at most `packedDepth` → packed rows */
export function packBlock(x: usize, stride: usize, rows: i32, width: usize, target: usize): void {
  const bytes = width << 2
  for (; rows > 0; rows--) {
    let i: usize = 0
    for (; i + 32 <= bytes; i += 32) {
      v128.store(target + i, v128.load(x + i))
      v128.store(target + i, v128.load(x + i, 16), 16)
    }
    for (; i < bytes; i += 4) store<f32>(target + i, load<f32>(x + i))
    x += stride
    target += rowBytes
  }
}

/**
 * x (rows, width) · panel (width, 8) → rows of 8 at y, `stride` bytes apart; added to what is there if `more`.
 * xStride: bytes from row to row of x; `rowBytes` if `packs()`
 *
 * next: what the next panel will be read from, `nextBytes` for each k, 0 if it is in a cache already. Every step of k then touches a
 * byte a little further in it: else its first tile waits for memory, which with 16 rows is a third of all tiles. Spread over all
 * tiles, this takes place beside the multiplications: with weights that no cache holds, 16 rows are 11 to 20 % faster in V8 13.
 * Where nothing waits it would cost 3 to 5 %, and without fused multiply-adds 5 to 10: it finds no free place there (see `packs`).
 */
export function multiplyBlock(
  rows: i32,
  x: usize,
  xStride: usize,
  w: usize,
  width: usize,
  y: usize,
  stride: usize,
  more: bool,
  next: usize,
  nextBytes: i32,
): void {
  const step = <usize>(nextBytes / ((rows + most - 1) / most)) // rounded down: nothing behind the panel is read
  while (rows > 0) {
    const count = nextTile(rows)
    multiplyTile(count, x, xStride, w, width, y, stride, more, next, step)
    next += width * step
    x += <usize>count * xStride
    y += <usize>count * stride
    rows -= count
  }
}

/** The same for the rows of one tile, which `nextTile` gave. touch: what is read for the cache's sake, `step` bytes further for each k */
export function multiplyTile(
  rows: i32,
  x: usize,
  xStride: usize,
  w: usize,
  width: usize,
  y: usize,
  stride: usize,
  more: bool,
  touch: usize,
  step: usize,
): void {
  if (ASC_FEATURE_RELAXED_SIMD ? step != 0 && rows <= 6 : packs()) {
    if (rows == 1) tunedTile1(x, xStride, w, width, y, stride, more, touch, step)
    else if (rows == 2) tunedTile2(x, xStride, w, width, y, stride, more, touch, step)
    else if (rows == 3) tunedTile3(x, xStride, w, width, y, stride, more, touch, step)
    else if (rows == 4) tunedTile4(x, xStride, w, width, y, stride, more, touch, step)
    else if (rows == 5) tunedTile5(x, xStride, w, width, y, stride, more, touch, step)
    else tunedTile6(x, xStride, w, width, y, stride, more, touch, step)
  } else {
    if (rows == 1) tile1(x, xStride, w, width, y, stride, more)
    else if (rows == 2) tile2(x, xStride, w, width, y, stride, more)
    else if (rows == 3) tile3(x, xStride, w, width, y, stride, more)
    else if (rows == 4) tile4(x, xStride, w, width, y, stride, more)
    else if (rows == 5) tile5(x, xStride, w, width, y, stride, more)
    else if (rows == 6) tile6(x, xStride, w, width, y, stride, more)
    else if (rows == 7) tile7(x, xStride, w, width, y, stride, more)
    else tile8(x, xStride, w, width, y, stride, more)
  }
}

// One function each, exported by the module so that the compiler does not join them: V8 assigns registers by function, and in
// one that holds all tiles the larger ones lose up to two fifths of their speed.

export function tile1(x: usize, xStride: usize, w: usize, width: usize, y: usize, stride: usize, more: bool): void {
  tileOf(1, false, x, xStride, w, width, y, stride, more, 0, 0)
}

export function tile2(x: usize, xStride: usize, w: usize, width: usize, y: usize, stride: usize, more: bool): void {
  tileOf(2, false, x, xStride, w, width, y, stride, more, 0, 0)
}

export function tile3(x: usize, xStride: usize, w: usize, width: usize, y: usize, stride: usize, more: bool): void {
  tileOf(3, false, x, xStride, w, width, y, stride, more, 0, 0)
}

export function tile4(x: usize, xStride: usize, w: usize, width: usize, y: usize, stride: usize, more: bool): void {
  tileOf(4, false, x, xStride, w, width, y, stride, more, 0, 0)
}

export function tile5(x: usize, xStride: usize, w: usize, width: usize, y: usize, stride: usize, more: bool): void {
  tileOf(5, false, x, xStride, w, width, y, stride, more, 0, 0)
}

export function tile6(x: usize, xStride: usize, w: usize, width: usize, y: usize, stride: usize, more: bool): void {
  tileOf(6, false, x, xStride, w, width, y, stride, more, 0, 0)
}

export function tile7(x: usize, xStride: usize, w: usize, width: usize, y: usize, stride: usize, more: bool): void {
  tileOf(7, false, x, xStride, w, width, y, stride, more, 0, 0)
}

export function tile8(x: usize, xStride: usize, w: usize, width: usize, y: usize, stride: usize, more: bool): void {
  tileOf(8, false, x, xStride, w, width, y, stride, more, 0, 0)
}

// Tuned for the form of the module: touching where multiply-adds are fused, with packed rows where they are not.

export function tunedTile1(
  x: usize,
  xStride: usize,
  w: usize,
  width: usize,
  y: usize,
  stride: usize,
  more: bool,
  touch: usize,
  step: usize,
): void {
  tileOf(1, true, x, xStride, w, width, y, stride, more, touch, step)
}

export function tunedTile2(
  x: usize,
  xStride: usize,
  w: usize,
  width: usize,
  y: usize,
  stride: usize,
  more: bool,
  touch: usize,
  step: usize,
): void {
  tileOf(2, true, x, xStride, w, width, y, stride, more, touch, step)
}

export function tunedTile3(
  x: usize,
  xStride: usize,
  w: usize,
  width: usize,
  y: usize,
  stride: usize,
  more: bool,
  touch: usize,
  step: usize,
): void {
  tileOf(3, true, x, xStride, w, width, y, stride, more, touch, step)
}

export function tunedTile4(
  x: usize,
  xStride: usize,
  w: usize,
  width: usize,
  y: usize,
  stride: usize,
  more: bool,
  touch: usize,
  step: usize,
): void {
  tileOf(4, true, x, xStride, w, width, y, stride, more, touch, step)
}

export function tunedTile5(
  x: usize,
  xStride: usize,
  w: usize,
  width: usize,
  y: usize,
  stride: usize,
  more: bool,
  touch: usize,
  step: usize,
): void {
  tileOf(5, true, x, xStride, w, width, y, stride, more, touch, step)
}

export function tunedTile6(
  x: usize,
  xStride: usize,
  w: usize,
  width: usize,
  y: usize,
  stride: usize,
  more: bool,
  touch: usize,
  step: usize,
): void {
  if (ASC_FEATURE_RELAXED_SIMD) tileOf(6, true, x, xStride, w, width, y, stride, more, touch, step) // packed: at most 5
}

/** `rows` and `tuned` are constants: the compiler drops what such a tile does not need. */
@inline
function tileOf(
  rows: i32,
  tuned: bool,
  x: usize,
  xStride: usize,
  w: usize,
  width: usize,
  y: usize,
  stride: usize,
  more: bool,
  touch: usize,
  step: usize,
): void {
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
  let g0 = a0
  let g1 = a0
  let h0 = a0
  let h1 = a0
  if (more) {
    a0 = v128.load(y)
    a1 = v128.load(y, 16)
    let at = y
    if (rows > 1) {
      b0 = v128.load((at += stride))
      b1 = v128.load(at, 16)
    }
    if (rows > 2) {
      c0 = v128.load((at += stride))
      c1 = v128.load(at, 16)
    }
    if (rows > 3) {
      d0 = v128.load((at += stride))
      d1 = v128.load(at, 16)
    }
    if (rows > 4) {
      e0 = v128.load((at += stride))
      e1 = v128.load(at, 16)
    }
    if (rows > 5) {
      f0 = v128.load((at += stride))
      f1 = v128.load(at, 16)
    }
    if (rows > 6) {
      g0 = v128.load((at += stride))
      g1 = v128.load(at, 16)
    }
    if (rows > 7) {
      h0 = v128.load((at += stride))
      h1 = v128.load(at, 16)
    }
  }
  const packed = !ASC_FEATURE_RELAXED_SIMD && tuned
  if (packed) xStride = rowBytes
  const x1 = x + xStride
  const x2 = x1 + xStride
  const x3 = x2 + xStride
  const x4 = x3 + xStride
  const x5 = x4 + xStride
  const x6 = x5 + xStride
  const x7 = x6 + xStride
  let i: usize = packed ? x : 0
  for (const end = i + (width << 2); i < end; i += 4) {
    const w0 = v128.load(w)
    const w1 = v128.load(w, 16)
    w += 32
    if (ASC_FEATURE_RELAXED_SIMD && tuned) {
      load<u8>(touch)
      touch += step
    }
    let s = v128.load32_splat(packed ? i : x + i)
    a0 = madd(s, w0, a0)
    a1 = madd(s, w1, a1)
    if (rows > 1) {
      s = packed ? v128.load32_splat(i, rowBytes) : v128.load32_splat(x1 + i)
      b0 = madd(s, w0, b0)
      b1 = madd(s, w1, b1)
    }
    if (rows > 2) {
      s = packed ? v128.load32_splat(i, 2 * rowBytes) : v128.load32_splat(x2 + i)
      c0 = madd(s, w0, c0)
      c1 = madd(s, w1, c1)
    }
    if (rows > 3) {
      s = packed ? v128.load32_splat(i, 3 * rowBytes) : v128.load32_splat(x3 + i)
      d0 = madd(s, w0, d0)
      d1 = madd(s, w1, d1)
    }
    if (rows > 4) {
      s = packed ? v128.load32_splat(i, 4 * rowBytes) : v128.load32_splat(x4 + i)
      e0 = madd(s, w0, e0)
      e1 = madd(s, w1, e1)
    }
    if (rows > 5) {
      s = packed ? v128.load32_splat(i, 5 * rowBytes) : v128.load32_splat(x5 + i)
      f0 = madd(s, w0, f0)
      f1 = madd(s, w1, f1)
    }
    if (rows > 6) {
      s = packed ? v128.load32_splat(i, 6 * rowBytes) : v128.load32_splat(x6 + i)
      g0 = madd(s, w0, g0)
      g1 = madd(s, w1, g1)
    }
    if (rows > 7) {
      s = packed ? v128.load32_splat(i, 7 * rowBytes) : v128.load32_splat(x7 + i)
      h0 = madd(s, w0, h0)
      h1 = madd(s, w1, h1)
    }
  }
  store8(y, a0, a1)
  if (rows > 1) store8((y += stride), b0, b1)
  if (rows > 2) store8((y += stride), c0, c1)
  if (rows > 3) store8((y += stride), d0, d1)
  if (rows > 4) store8((y += stride), e0, e1)
  if (rows > 5) store8((y += stride), f0, f1)
  if (rows > 6) store8((y += stride), g0, g1)
  if (rows > 7) store8((y += stride), h0, h1)
}

@inline
function store8(y: usize, low: v128, high: v128): void {
  v128.store(y, low)
  v128.store(y, high, 16)
}
