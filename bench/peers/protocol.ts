import type { BenchCase } from '../cases.ts'
import { type ProcessMemory, processMemory } from '../machine.ts'

/** Between the bench and a process that it measures. */
export interface Question<Item = BenchCase> {
  readonly item: Item
  /** Send what was computed along: of embeddings the first and the last row. */
  readonly rows: boolean
}

export interface Answer {
  /** Of the process's first message: what it is. */
  readonly title?: string
  readonly ms?: number
  readonly memory?: ProcessMemory
  readonly rows?: readonly ArrayLike<number>[]
  readonly error?: string
}

/** Makes ready what is not timed → the call that is. It returns (rows, width) flat. */
export type Prepare = (item: BenchCase) => Promise<() => Promise<{ data: Float32Array; rows: number }>>

/** In a measured process: says what it is, then answers each case with its time. Ends when the bench does. */
export function serve(title: string, prepare: Prepare): void {
  serveAnswers<BenchCase>(title, (item, rows) => answer(prepare, item, rows))
}

/** As `serve`, whatever the questions are about. */
export function serveAnswers<Item>(title: string, reply: (item: Item, rows: boolean) => Promise<Answer>): void {
  process.on('disconnect', () => process.exit())
  process.on('message', ({ item, rows }: Question<Item>) => {
    reply(item, rows).then(
      (message) => process.send!(message),
      (error: unknown) => process.send!({ error: messageIn(error) } satisfies Answer),
    )
  })
  process.send!({ title } satisfies Answer)
}

async function answer(prepare: Prepare, item: BenchCase, wantsRows: boolean): Promise<Answer> {
  const call = await prepare(item)
  const start = performance.now()
  const { data, rows } = await call()
  const ms = performance.now() - start
  const width = data.length / rows
  const row = (index: number) => [...data.subarray(index * width, (index + 1) * width)]
  return { ms, memory: processMemory(), ...(wantsRows && { rows: [row(0), row(rows - 1)] }) }
}

export function refuse(error: unknown): void {
  process.send!({ error: messageIn(error) } satisfies Answer)
}

const messageIn = (error: unknown) => (error instanceof Error ? error.message : String(error))
