import { madd } from '../common.as'

// The two matrix products of attention, a register tile of queries at a time. Each output is one chain of multiply-adds in
// ascending order (over the head's width, over the keys of a block), whatever the number of rows in a tile.

/** Queries in a tile: what fits the 16 vector registers; without a fused multiply-add one more is needed for the product. */
export const tileRows: i32 = ASC_FEATURE_RELAXED_SIMD ? 6 : 4
/** Keys that are scored before their values are added up: a row of scores is 256 bytes. */
export const keyBlock: i32 = 64

/** q (headDim, tileRows) and panels (panels, headDim, 8) → scores (tileRows, keyBlock), the first 8 · panels of each row */
@inline
export function scoreTile(q: usize, keys: usize, panels: i32, headDim: usize, scores: usize): void {
  if (ASC_FEATURE_RELAXED_SIMD) scoreTile6(q, keys, panels, headDim, scores)
  else scoreTile4(q, keys, panels, headDim, scores)
}

/**
 * sums (tileRows, 8) = sums · corrections (tileRows) + scores (tileRows, keyBlock) · values (count, 8). The product is summed up
 * first: many small shares added to a large sum one by one would be lost.
 */
@inline
export function valueTile(scores: usize, values: usize, count: i32, corrections: usize, sums: usize): void {
  if (ASC_FEATURE_RELAXED_SIMD) valueTile6(scores, values, count, corrections, sums)
  else valueTile4(scores, values, count, corrections, sums)
}

function scoreTile6(q: usize, keys: usize, panels: i32, headDim: usize, scores: usize): void {
  for (; panels > 0; panels--) {
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
    const end = q + headDim * 24
    for (let x = q; x < end; x += 24) {
      const k0 = v128.load(keys)
      const k1 = v128.load(keys, 16)
      keys += 32
      let s = v128.load32_splat(x)
      a0 = madd(s, k0, a0)
      a1 = madd(s, k1, a1)
      s = v128.load32_splat(x, 4)
      b0 = madd(s, k0, b0)
      b1 = madd(s, k1, b1)
      s = v128.load32_splat(x, 8)
      c0 = madd(s, k0, c0)
      c1 = madd(s, k1, c1)
      s = v128.load32_splat(x, 12)
      d0 = madd(s, k0, d0)
      d1 = madd(s, k1, d1)
      s = v128.load32_splat(x, 16)
      e0 = madd(s, k0, e0)
      e1 = madd(s, k1, e1)
      s = v128.load32_splat(x, 20)
      f0 = madd(s, k0, f0)
      f1 = madd(s, k1, f1)
    }
    v128.store(scores, a0)
    v128.store(scores, a1, 16)
    v128.store(scores, b0, 256)
    v128.store(scores, b1, 272)
    v128.store(scores, c0, 512)
    v128.store(scores, c1, 528)
    v128.store(scores, d0, 768)
    v128.store(scores, d1, 784)
    v128.store(scores, e0, 1024)
    v128.store(scores, e1, 1040)
    v128.store(scores, f0, 1280)
    v128.store(scores, f1, 1296)
    scores += 32
  }
}

function scoreTile4(q: usize, keys: usize, panels: i32, headDim: usize, scores: usize): void {
  for (; panels > 0; panels--) {
    let a0 = f32x4.splat(0)
    let a1 = a0
    let b0 = a0
    let b1 = a0
    let c0 = a0
    let c1 = a0
    let d0 = a0
    let d1 = a0
    const end = q + (headDim << 4)
    for (let x = q; x < end; x += 16) {
      const k0 = v128.load(keys)
      const k1 = v128.load(keys, 16)
      keys += 32
      let s = v128.load32_splat(x)
      a0 = madd(s, k0, a0)
      a1 = madd(s, k1, a1)
      s = v128.load32_splat(x, 4)
      b0 = madd(s, k0, b0)
      b1 = madd(s, k1, b1)
      s = v128.load32_splat(x, 8)
      c0 = madd(s, k0, c0)
      c1 = madd(s, k1, c1)
      s = v128.load32_splat(x, 12)
      d0 = madd(s, k0, d0)
      d1 = madd(s, k1, d1)
    }
    v128.store(scores, a0)
    v128.store(scores, a1, 16)
    v128.store(scores, b0, 256)
    v128.store(scores, b1, 272)
    v128.store(scores, c0, 512)
    v128.store(scores, c1, 528)
    v128.store(scores, d0, 768)
    v128.store(scores, d1, 784)
    scores += 32
  }
}

function valueTile6(scores: usize, values: usize, count: i32, corrections: usize, sums: usize): void {
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
  const end = scores + (<usize>count << 2)
  for (; scores < end; scores += 4) {
    const v0 = v128.load(values)
    const v1 = v128.load(values, 16)
    values += 32
    let s = v128.load32_splat(scores)
    a0 = madd(s, v0, a0)
    a1 = madd(s, v1, a1)
    s = v128.load32_splat(scores, 256)
    b0 = madd(s, v0, b0)
    b1 = madd(s, v1, b1)
    s = v128.load32_splat(scores, 512)
    c0 = madd(s, v0, c0)
    c1 = madd(s, v1, c1)
    s = v128.load32_splat(scores, 768)
    d0 = madd(s, v0, d0)
    d1 = madd(s, v1, d1)
    s = v128.load32_splat(scores, 1024)
    e0 = madd(s, v0, e0)
    e1 = madd(s, v1, e1)
    s = v128.load32_splat(scores, 1280)
    f0 = madd(s, v0, f0)
    f1 = madd(s, v1, f1)
  }
  let s = v128.load32_splat(corrections)
  v128.store(sums, madd(v128.load(sums), s, a0))
  v128.store(sums, madd(v128.load(sums, 16), s, a1), 16)
  s = v128.load32_splat(corrections, 4)
  v128.store(sums, madd(v128.load(sums, 32), s, b0), 32)
  v128.store(sums, madd(v128.load(sums, 48), s, b1), 48)
  s = v128.load32_splat(corrections, 8)
  v128.store(sums, madd(v128.load(sums, 64), s, c0), 64)
  v128.store(sums, madd(v128.load(sums, 80), s, c1), 80)
  s = v128.load32_splat(corrections, 12)
  v128.store(sums, madd(v128.load(sums, 96), s, d0), 96)
  v128.store(sums, madd(v128.load(sums, 112), s, d1), 112)
  s = v128.load32_splat(corrections, 16)
  v128.store(sums, madd(v128.load(sums, 128), s, e0), 128)
  v128.store(sums, madd(v128.load(sums, 144), s, e1), 144)
  s = v128.load32_splat(corrections, 20)
  v128.store(sums, madd(v128.load(sums, 160), s, f0), 160)
  v128.store(sums, madd(v128.load(sums, 176), s, f1), 176)
}

function valueTile4(scores: usize, values: usize, count: i32, corrections: usize, sums: usize): void {
  let a0 = f32x4.splat(0)
  let a1 = a0
  let b0 = a0
  let b1 = a0
  let c0 = a0
  let c1 = a0
  let d0 = a0
  let d1 = a0
  const end = scores + (<usize>count << 2)
  for (; scores < end; scores += 4) {
    const v0 = v128.load(values)
    const v1 = v128.load(values, 16)
    values += 32
    let s = v128.load32_splat(scores)
    a0 = madd(s, v0, a0)
    a1 = madd(s, v1, a1)
    s = v128.load32_splat(scores, 256)
    b0 = madd(s, v0, b0)
    b1 = madd(s, v1, b1)
    s = v128.load32_splat(scores, 512)
    c0 = madd(s, v0, c0)
    c1 = madd(s, v1, c1)
    s = v128.load32_splat(scores, 768)
    d0 = madd(s, v0, d0)
    d1 = madd(s, v1, d1)
  }
  let s = v128.load32_splat(corrections)
  v128.store(sums, madd(v128.load(sums), s, a0))
  v128.store(sums, madd(v128.load(sums, 16), s, a1), 16)
  s = v128.load32_splat(corrections, 4)
  v128.store(sums, madd(v128.load(sums, 32), s, b0), 32)
  v128.store(sums, madd(v128.load(sums, 48), s, b1), 48)
  s = v128.load32_splat(corrections, 8)
  v128.store(sums, madd(v128.load(sums, 64), s, c0), 64)
  v128.store(sums, madd(v128.load(sums, 80), s, c1), 80)
  s = v128.load32_splat(corrections, 12)
  v128.store(sums, madd(v128.load(sums, 96), s, d0), 96)
  v128.store(sums, madd(v128.load(sums, 112), s, d1), 112)
}
