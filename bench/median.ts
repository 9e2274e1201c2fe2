/** Runs `task` once unmeasured, then `runs` times: milliseconds, ascending. */
export async function sample(runs: number, task: () => Promise<unknown>): Promise<number[]> {
  await task()
  const times: number[] = []
  for (let i = 0; i < runs; i++) {
    const start = performance.now()
    await task()
    times.push(performance.now() - start)
  }
  return times.sort((a, b) => a - b)
}

export function median(sorted: readonly number[]): number {
  const middle = sorted.length >> 1
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
