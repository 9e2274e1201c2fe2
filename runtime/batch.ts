import { BareclipError, invariant } from './errors.ts'

/**
 * Sequences laid end to end, never padded. Sequence s is rows offsets[s] … offsets[s + 1] - 1 of every (tokens, …) tensor.
 * A token's position counts what stood before it in its text, so it may skip places (masked tokens are left out).
 */
export interface RaggedBatch {
  readonly tokens: number
  readonly sequences: number
  /** (sequences + 1) */
  readonly offsets: Int32Array
  /** (tokens), ascending within a sequence */
  readonly positions: Int32Array
  /** Tokens of the longest sequence. */
  readonly longest: number
}

/** positions: per sequence, the position of each of its tokens. Throws INVALID_ARGUMENT where they do not ascend. */
export function raggedBatch(positions: readonly ArrayLike<number>[]): RaggedBatch {
  const offsets = new Int32Array(positions.length + 1)
  positions.forEach((sequence, s) => {
    offsets[s + 1] = offsets[s]! + sequence.length
  })
  const tokens = offsets[positions.length]!
  const flat = new Int32Array(tokens)
  positions.forEach((sequence, s) => {
    flat.set(sequence, offsets[s]!)
    for (let i = offsets[s]! + 1; i < offsets[s + 1]!; i++) {
      if (flat[i]! <= flat[i - 1]!) {
        const found = `${flat[i - 1]} before ${flat[i]} in sequence ${s}`
        throw new BareclipError('INVALID_ARGUMENT', `expected positions that ascend, found ${found}`)
      }
    }
  })
  const longest = positions.reduce((longest, sequence) => Math.max(longest, sequence.length), 0)
  return { tokens, sequences: positions.length, offsets, positions: flat, longest }
}

/** `count` sequences of `length` tokens each, positions 0 … length - 1. */
export function equalBatch(count: number, length: number): RaggedBatch {
  invariant(count >= 0 && length >= 0, 'a batch has no negative size')
  const positions = Int32Array.from({ length }, (_, i) => i)
  return raggedBatch(Array.from({ length: count }, () => positions))
}
