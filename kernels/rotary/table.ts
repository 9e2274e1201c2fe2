export interface RotaryTable {
  /** (1 + grid², headDim / 2) */
  readonly cos: Float32Array
  /** (1 + grid², headDim / 2) */
  readonly sin: Float32Array
}

/**
 * Angles of a square grid of patches behind one class token, which row 0 leaves as it is. Patch 1 + grid·t + u turns the
 * first half of a head's pairs by t·f and the second half by u·f, f(j) = 10000^(-2j / (headDim / 2)). Positions are
 * stretched by `sequence / grid`, 1 in jina-clip-v1 (EVA-02's VisionRotaryEmbeddingFast).
 */
export function rotaryTable(grid: number, headDim: number, stretch: number): RotaryTable {
  const pairs = headDim / 2
  const half = pairs / 2
  const cos = new Float32Array((1 + grid * grid) * pairs).fill(1, 0, pairs)
  const sin = new Float32Array((1 + grid * grid) * pairs)
  for (let t = 0; t < grid; t++) {
    for (let u = 0; u < grid; u++) {
      const row = (1 + t * grid + u) * pairs
      for (let j = 0; j < half; j++) {
        const frequency = 10000 ** ((-2 * j) / pairs)
        cos[row + j] = Math.cos(t * stretch * frequency)
        sin[row + j] = Math.sin(t * stretch * frequency)
        cos[row + half + j] = Math.cos(u * stretch * frequency)
        sin[row + half + j] = Math.sin(u * stretch * frequency)
      }
    }
  }
  return { cos, sin }
}
