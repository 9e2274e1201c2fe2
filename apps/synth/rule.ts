import type { Shape } from '../../runtime/shape.ts'

/** "JCL1" */
export const defaultSeed = 0x4a434c31

/** 32-bit FNV-1a of the text's UTF-8 bytes, unsigned. */
export function fnv1a32(text: string): number {
  let hash = 0x811c9dc5
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193)
  return hash >>> 0
}

const golden = 0x9e3779b9 | 0
const mix1 = 0x85ebca6b | 0
const mix2 = 0xc2b2ae35 | 0

/** The hash of element `index` under `key`, unsigned: a Weyl step, then MurmurHash3's finalizer. */
export function hash(key: number, index: number): number {
  let x = (key + Math.imul(index, golden)) | 0
  x = Math.imul(x ^ (x >>> 16), mix1)
  x = Math.imul(x ^ (x >>> 13), mix2)
  return (x ^ (x >>> 16)) >>> 0
}

/** The key of a tensor, or of another name that takes random numbers. */
export function keyOf(name: string, seed: number): number {
  return (fnv1a32(name) ^ seed) >>> 0
}

/** Either one value for all elements, or base + r · 2^-exponent with r uniform in [-1, 1). */
export type Rule = { readonly constant: number } | { readonly base: number; readonly exponent: number }

export function ruleOf(name: string, shape: Shape): Rule {
  if (name === 'logit_scale') return { constant: Math.fround(4.605170249938965) }
  if (name.endsWith('word_embeddings.weight') || name.endsWith('cls_token')) return { base: 0, exponent: 0 }
  if (name.endsWith('token_type_embeddings.weight') || name.endsWith('pos_embed')) return { base: 0, exponent: 1 }
  if (shape.length === 1) return name.endsWith('.weight') ? { base: 1, exponent: 2 } : { base: 0, exponent: 3 }
  return { base: 0, exponent: linearExponent(shape.slice(1).reduce((product, size) => product * size, 1)) }
}

/** The smallest k ≥ 0 with 3 · 4^k ≥ fanIn: a linear layer's outputs keep about unit variance. */
export function linearExponent(fanIn: number): number {
  let k = 0
  while (3 * 4 ** k < fanIn) k++
  return k
}

/** Fills `target` with the elements from `start` on. One rounding to float32, where base is not 0. */
export function fillValues(target: Float32Array, rule: Rule, key: number, start: number): void {
  if ('constant' in rule) {
    target.fill(rule.constant)
    return
  }
  const { base } = rule
  const scale = 2 ** -(23 + rule.exponent)
  let counter = (key + Math.imul(start, golden)) | 0
  for (let i = 0; i < target.length; i++) {
    let x = counter
    counter = (counter + golden) | 0
    x = Math.imul(x ^ (x >>> 16), mix1)
    x = Math.imul(x ^ (x >>> 13), mix2)
    x ^= x >>> 16
    target[i] = base + ((x >>> 8) - 0x800000) * scale
  }
}
