import { param, paramF32 } from '../common.as'
import { f16x4 } from '../half.as'
import { normalizeRow } from '../layer-norm/layer-norm.as'

/**
 * One unit is `tokensPerUnit` tokens: word[id] + type[0], then layer norm.
 * Parameters: ids (tokens), tokens, hidden, tokens per unit, word, word dtype (0 f32, 1 f16, 2 bf16), type, type dtype, weight,
 * bias, epsilon (f32), y (tokens, hidden).
 */
export function embedding(parameters: usize, from: i32, to: i32): void {
  const ids = param(parameters, 0)
  const tokens = <i32>param(parameters, 1)
  const hidden = param(parameters, 2)
  const tokensPerUnit = <i32>param(parameters, 3)
  const word = param(parameters, 4)
  const wordDtype = param(parameters, 5)
  const type = param(parameters, 6)
  const typeDtype = param(parameters, 7)
  const weight = param(parameters, 8)
  const bias = param(parameters, 9)
  const epsilon = <f64>paramF32(parameters, 10)
  const y = param(parameters, 11)
  const rowBytes = hidden << (wordDtype ? 1 : 2)
  for (let t = from * tokensPerUnit, end = min(tokens, to * tokensPerUnit); t < end; t++) {
    const source = word + <usize>load<u32>(ids + (<usize>t << 2)) * rowBytes
    const target = y + <usize>t * (hidden << 2)
    let i: usize = 0
    for (; i + 4 <= hidden; i += 4) {
      v128.store(target + (i << 2), f32x4.add(four(source, wordDtype, i), four(type, typeDtype, i)))
    }
    for (; i < hidden; i++) {
      v128.store32_lane(target + (i << 2), f32x4.add(one(source, wordDtype, i), one(type, typeDtype, i)), 0)
    }
    normalizeRow(target, hidden, weight, bias, epsilon, target)
  }
}

/** Elements i to i + 3 of a row as f32. */
@inline
function four(row: usize, dtype: usize, i: usize): v128 {
  if (dtype == 0) return v128.load(row + (i << 2))
  return widen(v128.load64_zero(row + (i << 1)), dtype)
}

/** Element i in every lane. */
@inline
function one(row: usize, dtype: usize, i: usize): v128 {
  if (dtype == 0) return v128.load32_splat(row + (i << 2))
  return widen(v128.load16_splat(row + (i << 1)), dtype)
}

@inline
function widen(halves: v128, dtype: usize): v128 {
  return dtype == 1 ? f16x4(halves) : i32x4.shl(i32x4.extend_low_i16x8_u(halves), 16)
}
