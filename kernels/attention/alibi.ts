/**
 * One slope per head, in this order: for n = 2^m heads 2^(-8(i+1)/n); else those of the largest power of two p < n, then every
 * other one of the 2p-head list (Press, Smith, Lewis, "Train Short, Test Long", 2022, and its published code).
 */
export function alibiSlopes(heads: number): Float32Array {
  return Float32Array.from(exactAlibiSlopes(heads))
}

/** The same in float64. */
export function exactAlibiSlopes(heads: number): Float64Array {
  const p = 2 ** Math.floor(Math.log2(heads))
  return Float64Array.from({ length: heads }, (_, i) =>
    i < p ? 2 ** ((-8 * (i + 1)) / p) : 2 ** ((-8 * (2 * (i - p) + 1)) / (2 * p)),
  )
}
