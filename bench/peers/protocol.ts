import type { BenchCase } from '../cases.ts'
import { type ProcessMemory, processMemory } from '../machine.ts'
import { measure, type Prepare } from './measure.ts'

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

/** In a measured process: says what it is, then answers each case with its time. Ends when the bench does. */
export function serve(title: string, prepare: Prepare): void {
  serveAnswers<BenchCase>(title, async (item, rows) => {
    const measured = await measure(prepare, item, rows)
    return { ...measured, memory: processMemory() }
  })
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

export function refuse(error: unknown): void {
  process.send!({ error: messageIn(error) } satisfies Answer)
}

const messageIn = (error: unknown) => (error instanceof Error ? error.message : String(error))
