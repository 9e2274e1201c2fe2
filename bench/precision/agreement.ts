/** How near rows are to what they should be. */
export interface Agreement {
  readonly items: number
  /** Difference of a component. */
  readonly largest: number
  /** Lowest of a row with its own. */
  readonly cosine: number
  /** Share of the items whose nearest other item is the same. */
  readonly top1: number
  /** Share of their ten nearest that are the same, of all others where there are fewer. */
  readonly top10: number
}

/** found, truth: one row per item, of length about 1. Throws RangeError below two items. */
export function agreementOf(found: readonly ArrayLike<number>[], truth: readonly Float64Array[]): Agreement {
  if (truth.length < 2 || found.length !== truth.length) {
    throw new RangeError(`${found.length} rows for ${truth.length}: expected as many, at least two`)
  }
  const ranks = [found, truth].map((rows) => rows.map((_, i) => nearest(rows, i))) as [number[][], number[][]]
  const shares = (count: number) =>
    mean(
      ranks[1].map((wanted, i) => {
        const top = wanted.slice(0, count)
        const got = new Set(ranks[0][i]!.slice(0, count))
        return top.filter((item) => got.has(item)).length / top.length
      }),
    )
  return {
    items: truth.length,
    largest: Math.max(...truth.map((row, i) => largestDifference(found[i]!, row))),
    cosine: Math.min(...truth.map((row, i) => cosine(found[i]!, row))),
    top1: shares(1),
    top10: shares(10),
  }
}

/** The other items by falling cosine, at most ten. */
function nearest(rows: readonly ArrayLike<number>[], i: number): number[] {
  return rows
    .map((row, item) => ({ item, cosine: cosine(rows[i]!, row) }))
    .filter(({ item }) => item !== i)
    .sort((a, b) => b.cosine - a.cosine)
    .slice(0, 10)
    .map(({ item }) => item)
}

/** NaN where a component is. */
function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let largest = 0
  for (let i = 0; i < b.length; i++) largest = Math.max(largest, Math.abs(a[i]! - b[i]!))
  return largest
}

function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [ab, aa, bb] = [0, 0, 0]
  for (let i = 0; i < b.length; i++) {
    ab += a[i]! * b[i]!
    aa += a[i]! ** 2
    bb += b[i]! ** 2
  }
  return ab / Math.sqrt(aa * bb)
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
