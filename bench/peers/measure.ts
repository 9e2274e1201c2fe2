import type { BenchCase } from '../cases.ts'
import { median } from '../statistics.ts'

/** Makes ready what is not timed → the call that is. It returns (rows, width) flat. */
export type Prepare = (item: BenchCase) => Promise<() => Promise<{ data: Float32Array; rows: number }>>

export interface Measured {
  readonly ms: number
  /** Of the first and the last row. */
  readonly rows?: readonly (readonly number[])[]
}

/** Milliseconds that a turn lasts at least: the others' turns have left the caches to them, and threads asleep. */
const turnMs = 300

/** One turn: the median of as many calls as take `turnMs`, of one call if it takes longer. */
export async function measure(prepare: Prepare, item: BenchCase, wantsRows: boolean): Promise<Measured> {
  const call = await prepare(item)
  const times: number[] = []
  let result: Awaited<ReturnType<typeof call>>
  const end = performance.now() + turnMs
  do {
    const start = performance.now()
    result = await call()
    times.push(performance.now() - start)
  } while (performance.now() < end)
  const { data, rows } = result
  const ms = median(times)
  const width = data.length / rows
  const row = (index: number) => [...data.subarray(index * width, (index + 1) * width)]
  return { ms, ...(wantsRows && { rows: [row(0), row(rows - 1)] }) }
}
