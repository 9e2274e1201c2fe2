import { madd, param, scratchAddress } from '../common.as'

// Patches are gathered in groups of `group`, a group being tiles (width, `tile`), so that one k of all rows of a tile lies
// together. Every output is one chain of multiply-adds over k in ascending order: both tiles give the same bits.

/** Patches in a unit. */
const group: usize = 24
/** Panels of 8 columns in a unit of `patchProject`. */
const panelBlock: usize = 16

/** Rows of the register tile: 6 · 8 sums leave no register for a product that is not fused. */
@inline
function tileRows(): usize {
  return ASC_FEATURE_RELAXED_SIMD ? 6 : 4
}

/**
 * One unit is a group of patches; the last one is the class tokens of all images instead.
 * Parameters: pixels (images, 3, size, size), images, size, patch, class token (hidden), position ((1 + grid²), hidden), hidden,
 * y (images · (1 + grid²), hidden), gathered (groups, tiles, 3 · patch², tile).
 */
export function patchGather(parameters: usize, from: i32, to: i32): void {
  const pixels = param(parameters, 0)
  const images = param(parameters, 1)
  const size = param(parameters, 2)
  const patch = param(parameters, 3)
  const classToken = param(parameters, 4)
  const position = param(parameters, 5)
  const hidden = param(parameters, 6)
  const y = param(parameters, 7)
  const gathered = param(parameters, 8)
  const grid = size / patch
  const perImage = grid * grid
  const patches = images * perImage
  const groups = (patches + group - 1) / group
  const width: usize = patch * patch * 3
  for (let unit = <usize>from; unit < <usize>to; unit++) {
    if (unit == groups) {
      for (let image: usize = 0; image < images; image++) {
        const target = y + ((image * (perImage + 1) * hidden) << 2)
        for (let i: usize = 0, end = hidden << 2; i < end; i += 4) {
          store<f32>(target + i, load<f32>(classToken + i) + load<f32>(position + i))
        }
      }
      continue
    }
    for (let i: usize = 0; i < group; i++) {
      const p = unit * group + i
      const tile = (unit * group + i - (i % tileRows())) * width
      const target = gathered + ((tile + (i % tileRows())) << 2)
      if (p < patches) {
        const place = p % perImage
        const corner = (((p / perImage) * 3 * size + (place / grid) * patch) * size + (place % grid) * patch) << 2
        gather(pixels + corner, size, patch, target)
      } else {
        for (let k: usize = 0; k < width; k++) store<f32>(target + ((k * tileRows()) << 2), 0)
      }
    }
  }
}

/** One patch, its first pixel at x, to every `tileRows`-th element from target on: channel, row, column. */
@inline
function gather(x: usize, size: usize, patch: usize, target: usize): void {
  for (let channel: usize = 0; channel < 3; channel++) {
    for (let row: usize = 0; row < patch; row++) {
      const line = x + (((channel * size + row) * size) << 2)
      for (let column: usize = 0; column < patch; column++) {
        store<f32>(target, load<f32>(line + (column << 2)))
        target += tileRows() << 2
      }
    }
  }
}

/**
 * One unit is a group of patches by `panelBlock` panels.
 * Parameters: gathered (groups, tiles, width, tile), patches, patches per image, width, weight in f32 panels, hidden, bias
 * (hidden), position ((1 + patches per image), hidden), y (images · (1 + patches per image), hidden).
 */
export function patchProject(parameters: usize, from: i32, to: i32): void {
  const gathered = param(parameters, 0)
  const patches = param(parameters, 1)
  const perImage = param(parameters, 2)
  const width = param(parameters, 3)
  const weight = param(parameters, 4)
  const hidden = param(parameters, 5)
  const bias = param(parameters, 6)
  const position = param(parameters, 7)
  const y = param(parameters, 8)
  const panels = (hidden + 7) >> 3
  const blocks = (panels + panelBlock - 1) / panelBlock
  const sums = scratchAddress() // (tile, 8)
  for (let unit = <usize>from; unit < <usize>to; unit++) {
    const first = (unit / blocks) * group
    const end = min(patches, first + group)
    const panel0 = (unit % blocks) * panelBlock
    for (let panel = panel0, last = min(panels, panel0 + panelBlock); panel < last; panel++) {
      const column = panel << 3
      const count = min(8, hidden - column)
      for (let p = first; p < end; p += tileRows()) {
        const x = gathered + ((p * width) << 2)
        const w = weight + ((panel * width) << 5)
        if (ASC_FEATURE_RELAXED_SIMD) tile6(x, w, width, sums)
        else tile4(x, w, width, sums)
        for (let r: usize = 0, rows = min(tileRows(), end - p); r < rows; r++) {
          const image = (p + r) / perImage
          const token = p + r - image * perImage + 1
          const place = position + ((token * hidden + column) << 2)
          const target = y + (((image * (perImage + 1) + token) * hidden + column) << 2)
          finish(sums + (r << 5), count, bias + (column << 2), place, target)
        }
      }
    }
  }
}

/** target (count) = sums + bias + position */
@inline
function finish(sums: usize, count: usize, bias: usize, position: usize, target: usize): void {
  if (count == 8) {
    const low = f32x4.add(f32x4.add(v128.load(sums), v128.load(bias)), v128.load(position))
    const high = f32x4.add(f32x4.add(v128.load(sums, 16), v128.load(bias, 16)), v128.load(position, 16))
    v128.store(target, low)
    v128.store(target, high, 16)
    return
  }
  for (let i: usize = 0; i < count << 2; i += 4) {
    store<f32>(target + i, load<f32>(sums + i) + load<f32>(bias + i) + load<f32>(position + i))
  }
}

/** x (width, 6), w (width, 8) → y (6, 8) */
function tile6(x: usize, w: usize, width: usize, y: usize): void {
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
  for (let k: usize = 0; k < width; k++) {
    const w0 = v128.load(w)
    const w1 = v128.load(w, 16)
    w += 32
    let s = v128.load32_splat(x)
    a0 = madd(s, w0, a0)
    a1 = madd(s, w1, a1)
    s = v128.load32_splat(x, 4)
    b0 = madd(s, w0, b0)
    b1 = madd(s, w1, b1)
    s = v128.load32_splat(x, 8)
    c0 = madd(s, w0, c0)
    c1 = madd(s, w1, c1)
    s = v128.load32_splat(x, 12)
    d0 = madd(s, w0, d0)
    d1 = madd(s, w1, d1)
    s = v128.load32_splat(x, 16)
    e0 = madd(s, w0, e0)
    e1 = madd(s, w1, e1)
    s = v128.load32_splat(x, 20)
    f0 = madd(s, w0, f0)
    f1 = madd(s, w1, f1)
    x += 24
  }
  store8(y, a0, a1)
  store8(y + 32, b0, b1)
  store8(y + 64, c0, c1)
  store8(y + 96, d0, d1)
  store8(y + 128, e0, e1)
  store8(y + 160, f0, f1)
}

/** x (width, 4), w (width, 8) → y (4, 8) */
function tile4(x: usize, w: usize, width: usize, y: usize): void {
  let a0 = f32x4.splat(0)
  let a1 = a0
  let b0 = a0
  let b1 = a0
  let c0 = a0
  let c1 = a0
  let d0 = a0
  let d1 = a0
  for (let k: usize = 0; k < width; k++) {
    const w0 = v128.load(w)
    const w1 = v128.load(w, 16)
    w += 32
    let s = v128.load32_splat(x)
    a0 = madd(s, w0, a0)
    a1 = madd(s, w1, a1)
    s = v128.load32_splat(x, 4)
    b0 = madd(s, w0, b0)
    b1 = madd(s, w1, b1)
    s = v128.load32_splat(x, 8)
    c0 = madd(s, w0, c0)
    c1 = madd(s, w1, c1)
    s = v128.load32_splat(x, 12)
    d0 = madd(s, w0, d0)
    d1 = madd(s, w1, d1)
    x += 16
  }
  store8(y, a0, a1)
  store8(y + 32, b0, b1)
  store8(y + 64, c0, c1)
  store8(y + 96, d0, d1)
}

@inline
function store8(y: usize, low: v128, high: v128): void {
  v128.store(y, low)
  v128.store(y, high, 16)
}
