import { madd, param } from '../common.as'

/**
 * One unit is `tokensPerUnit` tokens, turned in place.
 * Parameters: x (tokens, columns), tokens, columns, heads, headDim, tokens per unit, positions (tokens), cos and sin
 * (table rows, headDim / 2).
 */
export function rotary(parameters: usize, from: i32, to: i32): void {
  const x = param(parameters, 0)
  const tokens = <i32>param(parameters, 1)
  const columns = param(parameters, 2)
  const heads = param(parameters, 3)
  const headDim = param(parameters, 4)
  const tokensPerUnit = <i32>param(parameters, 5)
  const positions = param(parameters, 6)
  const cos = param(parameters, 7)
  const sin = param(parameters, 8)
  const headBytes = headDim << 2
  for (let t = from * tokensPerUnit, end = min(tokens, to * tokensPerUnit); t < end; t++) {
    const row = x + <usize>t * (columns << 2)
    const table = <usize>load<u32>(positions + (<usize>t << 2)) * (headDim << 1) // in bytes
    let pair: usize = 0
    // two pairs of every head, a0 b0 a1 b1, while their angles are in registers
    for (; (pair << 1) + 4 <= headDim; pair += 2) {
      const angle = table + (pair << 2)
      const c = v128.load64_zero(cos + angle)
      const s = v128.load64_zero(sin + angle)
      turn(row + (pair << 3), heads, headBytes, c, s, false)
    }
    if (headDim & 2) {
      const angle = table + (pair << 2)
      turn(row + (pair << 3), heads, headBytes, v128.load32_zero(cos + angle), v128.load32_zero(sin + angle), true)
    }
  }
}

/** c, s: of two pairs, or of one if `single`; the pairs lie at x in each of the heads */
@inline
function turn(x: usize, heads: usize, headBytes: usize, c: v128, s: v128, single: bool): void {
  const cosines = v128.shuffle<f32>(c, c, 0, 0, 1, 1)
  const sines = v128.shuffle<f32>(f32x4.neg(s), s, 0, 4, 1, 5)
  for (let head: usize = 0; head < heads; head++) {
    const v = single ? v128.load64_zero(x) : v128.load(x)
    const turned = madd(v, cosines, f32x4.mul(v128.shuffle<f32>(v, v, 1, 0, 3, 2), sines))
    if (single) v128.store64_lane(x, turned, 0)
    else v128.store(x, turned)
    x += headBytes
  }
}
