/** In milliseconds, or a ratio; `least` and `most` are the spread. */
export interface Spread {
  readonly median: number
  readonly least: number
  readonly most: number
}

/** Throws on an empty list. */
export function spread(values: readonly number[]): Spread {
  if (values.length === 0) throw new RangeError('a median of nothing')
  const sorted = [...values].sort((a, b) => a - b)
  return { median: median(sorted), least: sorted[0]!, most: sorted.at(-1)! }
}

export function median(sorted: readonly number[]): number {
  const middle = sorted.length >> 1
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
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

/** Runs `task` once unmeasured, then `runs` times: milliseconds, ascending. */
export async function sample(runs: number, task: () => Promise<unknown>): Promise<number[]> {
  await task()
  const times: number[] = []
  for (let i = 0; i < runs; i++) times.push(await timed(task))
  return times.sort((a, b) => a - b)
}
