// Every operation in float64 on nested arrays, straight from the formulas, sharing no code with the kernels.

export type Matrix = number[][]

/** values: (rows · width) → rows of `width` numbers */
export function matrixOf(values: ArrayLike<number>, width: number): Matrix {
  const rows: Matrix = []
  for (let start = 0; start < values.length; start += width) {
    rows.push(Array.from({ length: width }, (_, i) => values[start + i]!))
  }
  return rows
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)

export const dot = (a: readonly number[], b: readonly number[]) => {
  let total = 0
  for (let i = 0; i < a.length; i++) total += a[i]! * b[i]!
  return total
}

/** (x - mean) / √(var + eps) · w + b, var with divisor N */
export function layerNorm(row: readonly number[], w: readonly number[], b: readonly number[], eps: number): number[] {
  const mean = sum(row) / row.length
  const variance = sum(row.map((x) => (x - mean) * (x - mean))) / row.length
  return row.map((x, i) => ((x - mean) / Math.sqrt(variance + eps)) * w[i]! + b[i]!)
}

/**
 * x · ½ (1 + erf(x / √2)); below -3, where 1 + erf cancels, through the continued fraction of 1 - erf (Abramowitz and Stegun,
 * 7.1.14), else through the Maclaurin series of erf (7.1.6).
 */
export function gelu(x: number): number {
  if (!Number.isFinite(x)) return x > 0 ? x : Number.NaN
  if (x < -3) return x * 0.5 * complementByFraction(-x / Math.SQRT2)
  if (x > 3) return x * (1 - 0.5 * complementByFraction(x / Math.SQRT2))
  return x * 0.5 * (1 + erfBySeries(x / Math.SQRT2))
}

/** erf(z) = 2/√π e^(-z²) Σ 2ⁿ z^(2n+1) / (1·3·…·(2n+1)) */
function erfBySeries(z: number): number {
  let term = z
  let total = z
  for (let n = 1; n < 200; n++) {
    term *= (2 * z * z) / (2 * n + 1)
    total += term
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-z * z) * total
}

/** √π e^(z²) erfc(z) = 1/(z + (1/2)/(z + (2/2)/(z + (3/2)/(z + …)))), z > 0 */
function complementByFraction(z: number): number {
  let tail = z
  for (let n = 120; n > 0; n--) tail = z + n / 2 / tail
  return Math.exp(-z * z) / Math.sqrt(Math.PI) / tail
}

/** x / (1 + e^-x) */
export const silu = (x: number) => x / (1 + Math.exp(-x))

export const activations = { gelu, silu }

/** act(first half) ⊙ second half */
export function gated(row: readonly number[], activation: 'gelu' | 'silu'): number[] {
  const width = row.length / 2
  return row.slice(0, width).map((x, i) => activations[activation](x) * row[width + i]!)
}

/** e^x / Σ e^x */
export function softmax(scores: readonly number[]): number[] {
  const largest = scores.reduce((a, b) => (Number.isNaN(b) || b > a ? b : a), Number.NEGATIVE_INFINITY)
  const powers = scores.map((score) => Math.exp(score - largest))
  const total = sum(powers)
  return powers.map((power) => power / total)
}

/** The slopes for n heads as MODEL section 4 words them, by doubling lists. */
export function slopes(heads: number): number[] {
  const ofPower = (p: number) => Array.from({ length: p }, (_, i) => 2 ** ((-8 * (i + 1)) / p))
  let p = 1
  while (2 * p <= heads) p *= 2
  const between = ofPower(2 * p).filter((_, i) => i % 2 === 0)
  return [...ofPower(p), ...between].slice(0, heads)
}

/**
 * One sequence. qkv: (tokens, 3 · heads · dim), positions: (tokens) → (tokens, heads · dim):
 * s[h, i, j] = q[h, i] · k[h, j] · scale - slope[h] |position i - position j|, c[i] = Σ softmax(s)[j] v[h, j]
 */
export function attention(
  qkv: Matrix,
  positions: readonly number[],
  heads: number,
  scale: number,
  slope: readonly number[] | undefined,
): Matrix {
  const dim = (qkv[0]?.length ?? 0) / 3 / heads
  const part = (row: number[], which: number, head: number) => {
    const start = which * heads * dim + head * dim
    return row.slice(start, start + dim)
  }
  const result: Matrix = qkv.map(() => [])
  for (let head = 0; head < heads; head++) {
    const keys = qkv.map((row) => part(row, 1, head))
    const values = qkv.map((row) => part(row, 2, head))
    qkv.forEach((row, i) => {
      const query = part(row, 0, head)
      const scores = keys.map((key, j) => {
        const score = dot(query, key) * scale
        return slope ? score - slope[head]! * Math.abs(positions[i]! - positions[j]!) : score
      })
      const shares = softmax(scores)
      const context: number[] = new Array(dim).fill(0)
      for (let j = 0; j < values.length; j++) {
        for (let d = 0; d < dim; d++) context[d]! += shares[j]! * values[j]![d]!
      }
      result[i]!.push(...context)
    })
  }
  return result
}

/** out[2j] = a cos - b sin, out[2j + 1] = b cos + a sin in each of the first `heads` heads; cos, sin: (dim / 2) */
export function rotate(
  row: readonly number[],
  heads: number,
  dim: number,
  cos: readonly number[],
  sin: readonly number[],
): number[] {
  const out = [...row]
  for (let head = 0; head < heads; head++) {
    for (let j = 0; j < dim / 2; j++) {
      const first = head * dim + 2 * j
      const a = row[first]!
      const b = row[first + 1]!
      out[first] = a * cos[j]! - b * sin[j]!
      out[first + 1] = b * cos[j]! + a * sin[j]!
    }
  }
  return out
}

/** pixel[c][y][x]; weight: (hidden, 3 · patch · patch); [class token ; patches row by row] + position */
export function patchEmbed(
  pixel: number[][][],
  patch: number,
  weight: Matrix,
  bias: readonly number[],
  classToken: readonly number[],
  position: Matrix,
): Matrix {
  const size = pixel[0]!.length
  const tokens: Matrix = [[...classToken]]
  for (let y = 0; y + patch <= size; y += patch) {
    for (let x = 0; x + patch <= size; x += patch) {
      const block: number[] = []
      for (const channel of pixel) {
        for (let dy = 0; dy < patch; dy++) for (let dx = 0; dx < patch; dx++) block.push(channel[y + dy]![x + dx]!)
      }
      tokens.push(weight.map((row, h) => dot(row, block) + bias[h]!))
    }
  }
  return tokens.map((token, n) => token.map((value, h) => value + position[n]![h]!))
}

/** The mean of some rows. */
export const meanOf = (rows: Matrix, width: number) =>
  Array.from({ length: width }, (_, h) => sum(rows.map((row) => row[h]!)) / rows.length)

/** x / max(‖x‖₂, 1e-12) */
export function l2Normalize(row: readonly number[]): number[] {
  const norm = Math.sqrt(sum(row.map((x) => x * x)))
  return row.map((x) => x / (norm > 1e-12 || Number.isNaN(norm) ? norm : 1e-12))
}
