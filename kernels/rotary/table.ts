export interface RotaryTable {
  /** (1 + grid², headDim / 2) */
  readonly cos: Float32Array
  /** (1 + grid², headDim / 2) */
  readonly sin: Float32Array
}

/** Cosines and sines of `rotaryAngles`. */
export function rotaryTable(grid: number, headDim: number, stretch: number): RotaryTable {
  const angles = rotaryAngles(grid, headDim, stretch)
  return { cos: Float32Array.from(angles, Math.cos), sin: Float32Array.from(angles, Math.sin) }
}

/**
 * Angles (1 + grid², headDim / 2) of a square grid of patches behind one class token, which row 0 leaves as it is. Patch
 * 1 + grid·t + u turns the first half of a head's pairs by t·f and the second half by u·f, f(j) = 10000^(-2j / (headDim / 2)).
 * Positions are stretched by `sequence / grid`, 1 in jina-clip-v1 (EVA-02's VisionRotaryEmbeddingFast).
 */
export function rotaryAngles(grid: number, headDim: number, stretch: number): Float64Array {
  const pairs = headDim / 2
  const half = pairs / 2
  const angles = new Float64Array((1 + grid * grid) * pairs)
  for (let t = 0; t < grid; t++) {
    for (let u = 0; u < grid; u++) {
      const row = (1 + t * grid + u) * pairs
      for (let j = 0; j < half; j++) {
        const frequency = 10000 ** ((-2 * j) / pairs)
        angles[row + j] = t * stretch * frequency
        angles[row + half + j] = u * stretch * frequency
      }
    }
  }
  return angles
}
