import { param } from '../../kernels/common.as'

/**
 * One unit is a panel of 8 rows that the source has rows of (panels.ts; whole panels in 4 × 4 or 8 × 8 transpositions).
 * Parameters: source (rows, width), rows, width, the row of the matrix that is the source's first, panels, bytes per element:
 * 4 or 2.
 */
export function packPanels(parameters: usize, from: i32, to: i32): void {
  const source = param(parameters, 0)
  const rows = param(parameters, 1)
  const width = param(parameters, 2)
  const row = param(parameters, 3)
  const panels = param(parameters, 4)
  const bytes = param(parameters, 5)
  const stride = width * bytes
  for (let panel = (row >> 3) + <usize>from, last = (row >> 3) + <usize>to; panel < last; panel++) {
    const start = max(row, panel << 3)
    const end = min(row + rows, (panel + 1) << 3)
    const x = source + (start - row) * stride
    const target = panels + panel * (stride << 3)
    if (end - start == 8) {
      if (bytes == 4) packWords(x, width, target)
      else packHalves(x, width, target)
    } else {
      for (let n = start; n < end; n++) scatter(x + (n - start) * stride, width, target + (n & 7) * bytes, bytes)
    }
  }
}

/** x: (width) → every eighth element from target on */
function scatter(x: usize, width: usize, target: usize, bytes: usize): void {
  for (let k: usize = 0; k < width; k++) {
    if (bytes == 4) store<u32>(target + (k << 5), load<u32>(x + (k << 2)))
    else store<u16>(target + (k << 4), load<u16>(x + (k << 1)))
  }
}

/** x: (8, width) of 32 bits → (width, 8) */
function packWords(x: usize, width: usize, target: usize): void {
  const stride = width << 2
  const half = x + (stride << 2)
  let k: usize = 0
  for (; k + 4 <= width; k += 4) {
    transposeWords(x + (k << 2), stride, target + (k << 5))
    transposeWords(half + (k << 2), stride, target + (k << 5) + 16)
  }
  for (; k < width; k++) {
    for (let n: usize = 0; n < 8; n++) store<u32>(target + (k << 5) + (n << 2), load<u32>(x + n * stride + (k << 2)))
  }
}

/** 4 rows of 4 → 4 columns, 32 bytes apart */
@inline
function transposeWords(x: usize, stride: usize, target: usize): void {
  const a = v128.load(x)
  const b = v128.load(x + stride)
  const c = v128.load(x + (stride << 1))
  const d = v128.load(x + stride * 3)
  const ab = v128.shuffle<i32>(a, b, 0, 4, 1, 5)
  const cd = v128.shuffle<i32>(c, d, 0, 4, 1, 5)
  const ef = v128.shuffle<i32>(a, b, 2, 6, 3, 7)
  const gh = v128.shuffle<i32>(c, d, 2, 6, 3, 7)
  v128.store(target, v128.shuffle<i64>(ab, cd, 0, 2))
  v128.store(target, v128.shuffle<i64>(ab, cd, 1, 3), 32)
  v128.store(target, v128.shuffle<i64>(ef, gh, 0, 2), 64)
  v128.store(target, v128.shuffle<i64>(ef, gh, 1, 3), 96)
}

/** x: (8, width) of 16 bits → (width, 8) */
function packHalves(x: usize, width: usize, target: usize): void {
  const stride = width << 1
  let k: usize = 0
  for (; k + 8 <= width; k += 8) transposeHalves(x + (k << 1), stride, target + (k << 4))
  for (; k < width; k++) {
    for (let n: usize = 0; n < 8; n++) store<u16>(target + (k << 4) + (n << 1), load<u16>(x + n * stride + (k << 1)))
  }
}

/** 8 rows of 8 → 8 columns, one after the other: pairs of rows, then of pairs, then of fours */
@inline
function transposeHalves(x: usize, stride: usize, target: usize): void {
  const r0 = v128.load(x)
  const r1 = v128.load(x + stride)
  const r2 = v128.load(x + stride * 2)
  const r3 = v128.load(x + stride * 3)
  const r4 = v128.load(x + stride * 4)
  const r5 = v128.load(x + stride * 5)
  const r6 = v128.load(x + stride * 6)
  const r7 = v128.load(x + stride * 7)
  const a0 = v128.shuffle<i16>(r0, r1, 0, 8, 1, 9, 2, 10, 3, 11)
  const a1 = v128.shuffle<i16>(r0, r1, 4, 12, 5, 13, 6, 14, 7, 15)
  const b0 = v128.shuffle<i16>(r2, r3, 0, 8, 1, 9, 2, 10, 3, 11)
  const b1 = v128.shuffle<i16>(r2, r3, 4, 12, 5, 13, 6, 14, 7, 15)
  const c0 = v128.shuffle<i16>(r4, r5, 0, 8, 1, 9, 2, 10, 3, 11)
  const c1 = v128.shuffle<i16>(r4, r5, 4, 12, 5, 13, 6, 14, 7, 15)
  const d0 = v128.shuffle<i16>(r6, r7, 0, 8, 1, 9, 2, 10, 3, 11)
  const d1 = v128.shuffle<i16>(r6, r7, 4, 12, 5, 13, 6, 14, 7, 15)
  storeFours(target, a0, b0, c0, d0)
  storeFours(target + 64, a1, b1, c1, d1)
}

/** Pairs of four columns each, of rows 0 and 1, 2 and 3, 4 and 5, 6 and 7 → the four columns */
@inline
function storeFours(target: usize, a: v128, b: v128, c: v128, d: v128): void {
  const ab0 = v128.shuffle<i32>(a, b, 0, 4, 1, 5)
  const ab1 = v128.shuffle<i32>(a, b, 2, 6, 3, 7)
  const cd0 = v128.shuffle<i32>(c, d, 0, 4, 1, 5)
  const cd1 = v128.shuffle<i32>(c, d, 2, 6, 3, 7)
  v128.store(target, v128.shuffle<i64>(ab0, cd0, 0, 2))
  v128.store(target, v128.shuffle<i64>(ab0, cd0, 1, 3), 16)
  v128.store(target, v128.shuffle<i64>(ab1, cd1, 0, 2), 32)
  v128.store(target, v128.shuffle<i64>(ab1, cd1, 1, 3), 48)
}
