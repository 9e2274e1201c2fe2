/** In milliseconds, or a ratio; `least` and `most` are the spread. */
export interface Spread {
  readonly median: number
  readonly least: number
  readonly most: number
}

/** Throws on an empty list. */
export function spread(values: readonly number[]): Spread {
  if (values.length === 0) throw new RangeError('a median of nothing')
  const from = (pick: (a: number, b: number) => number) => values.reduce((a, b) => pick(a, b))
  return { median: median(values), least: from(Math.min), most: from(Math.max) }
}

/** NaN for an empty list. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** How many times as fast `ours` is as `peer`, by rounds in which both were timed in turn. */
export function ratioOf(
  ours: { readonly times: readonly number[] },
  peer: { readonly times: readonly number[] },
): Spread | undefined {
  const rounds = Math.min(ours.times.length, peer.times.length)
  if (rounds === 0) return undefined
  return spread(ours.times.slice(0, rounds).map((ms, round) => peer.times[round]! / ms))
}

/** exp(mean of logarithms): a ratio of 2 and one of 1/2 make 1. NaN for an empty list. */
export function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length)
}

export async function timed(task: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await task()
  return performance.now() - start
}
