import type { ChildProcess } from 'node:child_process'
import type { BenchCase } from '../cases.ts'
import { endProcess, nextMessage, startProcess } from './process.ts'
import type { Answer, Question } from './protocol.ts'

export interface ContenderOptions {
  readonly threads: number
  /** The node binary that all of them run under. */
  readonly node: string
  /** For loading and for one call, in seconds; then the process is ended. */
  readonly limit: number
  /** Ends the processes at once. */
  readonly signal?: AbortSignal | undefined
}

export interface ContenderSpec extends Pick<ContenderOptions, 'node' | 'limit' | 'signal'> {
  readonly name: string
  /** A JavaScript file that calls `serve`. */
  readonly file: string
  readonly args: readonly string[]
}

/** Something that is measured, in a process of its own, which is started when it is first asked. */
export interface Contender<Item = BenchCase> {
  readonly name: string
  /** What the process says it is, once it runs. */
  readonly title: string | undefined
  /** Why it cannot be had at all. */
  readonly missing: string | undefined
  /** What goes wrong is the answer's `error`, and the next question starts a new process. Rejects with the signal's reason alone. */
  ask(item: Item, rows?: boolean): Promise<Answer>
  /** Ends the process. */
  stop(): Promise<void>
}

export function createContender<Item = BenchCase>(spec: ContenderSpec): Contender<Item> {
  const { name, file, args, node, limit, signal } = spec
  let child: ChildProcess | undefined
  let title: string | undefined
  let missing: string | undefined

  const stop = async () => {
    const ending = child
    child = undefined
    if (ending) await endProcess(ending)
  }
  return {
    name,
    get title() {
      return title
    },
    get missing() {
      return missing
    },
    async ask(item, rows = false) {
      if (missing !== undefined) return { error: missing }
      signal?.throwIfAborted()
      if (!child) {
        child = startProcess(node, file, args, signal)
        const first: Answer = await nextMessage<Answer>(child, limit)
        signal?.throwIfAborted()
        title = first.title ?? title
        if (first.error !== undefined) {
          missing = `not available: ${first.error}`
          await stop()
          return { error: missing }
        }
      }
      const answer: Promise<Answer> = nextMessage<Answer>(child!, limit)
      child!.send({ item, rows } satisfies Question<Item>, () => {}) // a lost process is told by `nextMessage`
      const result = await answer
      signal?.throwIfAborted()
      if (result.error !== undefined) await stop()
      return result
    },
    stop,
  }
}

/** One that is not to be had, and why. */
export function missingContender<Item = BenchCase>(name: string, missing: string): Contender<Item> {
  return { name, title: undefined, missing, ask: async () => ({ error: missing }), stop: async () => {} }
}
