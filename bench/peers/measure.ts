import type { BenchCase } from '../cases.ts'

/** Makes ready what is not timed → the call that is. It returns (rows, width) flat. */
export type Prepare = (item: BenchCase) => Promise<() => Promise<{ data: Float32Array; rows: number }>>

export interface Measured {
  readonly ms: number
  /** Of the first and the last row. */
  readonly rows?: readonly (readonly number[])[]
}

export async function measure(prepare: Prepare, item: BenchCase, wantsRows: boolean): Promise<Measured> {
  const call = await prepare(item)
  const start = performance.now()
  const { data, rows } = await call()
  const ms = performance.now() - start
  const width = data.length / rows
  const row = (index: number) => [...data.subarray(index * width, (index + 1) * width)]
  return { ms, ...(wantsRows && { rows: [row(0), row(rows - 1)] }) }
}
