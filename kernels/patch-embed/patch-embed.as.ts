import { param, scratchAddress } from '../common.as'
import { multiplyBlock, packBlock, packedDepth, packs, rowBytes } from '../tiles.as'

/** Patches in a unit. */
const group: usize = 24
/** Panels of 8 columns in a unit of `patchProject`. */
const panelBlock: usize = 16

/**
 * One unit is a group of patches; the last one is the class tokens of all images instead.
 * Parameters: pixels (images, 3, size, size), images, size, patch, class token (hidden), position ((1 + grid²), hidden), hidden,
 * y (images · (1 + grid²), hidden), gathered (patches, 3 · patch²).
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
    for (let p = unit * group, end = min(patches, p + group); p < end; p++) {
      const place = p % perImage
      const corner = (((p / perImage) * 3 * size + (place / grid) * patch) * size + (place % grid) * patch) << 2
      gather(pixels + corner, size, patch, gathered + ((p * width) << 2))
    }
  }
}

/** One patch, its first pixel at x, to target on: channel, row, column. */
@inline
function gather(x: usize, size: usize, patch: usize, target: usize): void {
  for (let channel: usize = 0; channel < 3; channel++) {
    for (let row: usize = 0; row < patch; row++) {
      const line = x + (((channel * size + row) * size) << 2)
      for (let i: usize = 0; i < patch << 2; i += 4) store<f32>(target + i, load<f32>(line + i))
      target += patch << 2
    }
  }
}

/**
 * One unit is a group of patches by `panelBlock` panels.
 * Parameters: gathered (patches, width), patches, patches per image, width, weight in f32 panels, hidden, bias (hidden),
 * position ((1 + patches per image), hidden), y (images · (1 + patches per image), hidden).
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
  const sums = scratchAddress() // (panelBlock, group, 8)
  const packed = sums + panelBlock * group * 32
  const stride = packs() ? rowBytes : width << 2
  const depth = packs() ? packedDepth : width
  for (let unit = <usize>from; unit < <usize>to; unit++) {
    const first = (unit / blocks) * group
    const rows = min(group, patches - first)
    const panel0 = (unit % blocks) * panelBlock
    const last = min(panels, panel0 + panelBlock)
    for (let k: usize = 0; k < width; k += depth) {
      const part = min(depth, width - k)
      let x = gathered + ((first * width + k) << 2)
      if (packs()) {
        packBlock(x, width << 2, <i32>rows, part, packed)
        x = packed
      }
      for (let panel = panel0, target = sums; panel < last; panel++) {
        multiplyBlock(<i32>rows, x, stride, weight + ((panel * width + k) << 5), part, target, 32, k > 0, 0, 0)
        target += group << 5
      }
    }
    for (let panel = panel0, source = sums; panel < last; panel++) {
      const column = panel << 3
      const count = min(8, hidden - column)
      for (let r: usize = 0; r < rows; r++) {
        const image = (first + r) / perImage
        const token = first + r - image * perImage + 1
        const place = position + ((token * hidden + column) << 2)
        const target = y + (((image * (perImage + 1) + token) * hidden + column) << 2)
        finish(source + (r << 5), count, bias + (column << 2), place, target)
      }
      source += group << 5
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
