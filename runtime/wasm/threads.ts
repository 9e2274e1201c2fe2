import { cores, startThread, threadsMissing } from '#platform'
import type { Thread } from '../../platform/platform.ts'
import { BareclipError, invariant, messageOf } from '../errors.ts'
import { control, type ThreadOrder, type ThreadReport, threadSource } from './thread-source.ts'

export interface ThreadPool {
  readonly threads: number
  /**
   * Runs the program (program.ts) at a byte address; at the other lies room for `controlWords` plus one 32-bit word per step,
   * whose content does not matter. Resolves when all threads are through. Rejects when none of them touches the memory any
   * more: with the signal's reason, with what `onProgress` threw, or with OUT_OF_MEMORY or DEVICE_FAILED if a thread died;
   * then the next run starts new threads. DISPOSED comes at once. One run at a time.
   */
  run(programAddress: number, controlAddress: number, options?: ThreadRunOptions): Promise<void>
  /** Ends the threads and a run that is on. Safe to call twice. */
  dispose(): void
}

export interface ThreadRunOptions {
  /** What the module's `setTile` is called with on every thread. Default 0: nothing is. */
  readonly tile?: number
  readonly signal?: AbortSignal | undefined
  /** Monotonic; the last call comes with all steps. */
  readonly onProgress?: ((stepsDone: number) => void) | undefined
}

export interface ThreadPoolOptions {
  /** Imports one shared memory as env.memory. Exports `setScratch` and the entries. */
  readonly module: WebAssembly.Module
  readonly memory: WebAssembly.Memory
  /** At least 1. */
  readonly threads: number
  /** A byte address per thread. */
  readonly scratch: readonly number[]
  /** Names of exports, in the order in which programs count them. */
  readonly entries: readonly string[]
  /** Makes a new worker that runs `threadSource`, where a page may make none from a blob. */
  readonly workers?: (() => Worker) | undefined
  /** Gives up the start. */
  readonly signal?: AbortSignal | undefined
}

/** Words of the control block before the step counters. */
export const controlWords: number = control.words

/** In milliseconds. */
const longestStart = 20_000
const progressInterval = 50

/** More are of no use to the shapes of these towers. */
export const mostThreads = 64

/** One per core that this process may use, at least 1. */
export function defaultThreads(): number {
  return Math.min(cores(), mostThreads)
}

/** Whether threads can share memory here. `reason` is a sentence for a person. */
export function threadsPossible(): { possible: true } | { possible: false; reason: string } {
  const no = (reason: string) => ({ possible: false, reason }) as const
  const { crossOriginIsolated } = globalThis as { crossOriginIsolated?: boolean } // browsers only
  if (crossOriginIsolated === false) {
    return no(
      'this page is not cross-origin isolated: serve it with the headers Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp',
    )
  }
  if (typeof SharedArrayBuffer !== 'function' || typeof Atomics !== 'object')
    return no('there is no SharedArrayBuffer here')
  const missing = threadsMissing()
  return missing === undefined ? { possible: true } : no(missing)
}

/** Starts the threads. Rejects with DEVICE_UNAVAILABLE or OUT_OF_MEMORY, the message a reason for a person, or the signal's reason. */
export async function createThreadPool(options: ThreadPoolOptions): Promise<ThreadPool> {
  const { memory, threads, scratch } = options
  invariant(threads >= 1 && scratch.length >= threads, 'a pool has a thread or more, and scratch memory for each')
  const possible = threadsPossible()
  if (!possible.possible) throw new BareclipError('DEVICE_UNAVAILABLE', possible.reason)
  let team: Team | undefined = await startTeam(options)
  let interrupt: ((error: BareclipError) => void) | undefined
  let running = false
  let disposed = false
  const live = () => {
    if (disposed) throw new BareclipError('DISPOSED', 'this model was disposed: load it again')
  }

  const run = async (program: number, address: number, { tile = 0, signal, onProgress }: ThreadRunOptions) => {
    const steps = new Int32Array(memory.buffer, program, 1)[0]!
    if (steps === 0) return
    if (team?.broken()) {
      team.end()
      team = undefined
    }
    if (!team) {
      const fresh = await startTeam({ ...options, signal })
      if (disposed) fresh.end()
      live()
      team = fresh
    }
    const words = new Int32Array(memory.buffer, address, controlWords + steps).fill(0)
    const leave = () => {
      Atomics.store(words, control.abort, 1)
      Atomics.notify(words, control.phase)
    }
    let failure: { readonly error: unknown } | undefined // of onProgress
    let reported = 0
    const report = () => {
      const done = Atomics.load(words, control.progress)
      if (done <= reported || failure) return
      reported = done
      try {
        onProgress?.(done)
      } catch (error) {
        failure = { error }
        leave()
      }
    }
    const timer = onProgress && setInterval(report, progressInterval)
    signal?.addEventListener('abort', leave)
    try {
      const done = team.run(program, address, tile, words)
      await Promise.race([
        done,
        new Promise<never>((_, reject) => {
          interrupt = (error) => {
            leave()
            reject(error)
          }
        }),
      ])
    } finally {
      clearInterval(timer)
      signal?.removeEventListener('abort', leave)
      interrupt = undefined
    }
    if (failure) throw failure.error
    signal?.throwIfAborted()
    if (reported < steps) onProgress?.(steps)
  }

  return {
    threads,
    async run(program, address, options = {}) {
      live()
      options.signal?.throwIfAborted()
      invariant(!running, 'one run of a pool at a time')
      running = true
      try {
        await run(program, address, options)
      } finally {
        running = false
      }
    },
    dispose() {
      disposed = true
      interrupt?.(new BareclipError('DISPOSED', 'this model was disposed while it was at work: load it again'))
      team?.end()
      team = undefined
    },
  }
}

/** Threads that were started together. If one fails, all are replaced. */
interface Team {
  /** Settles when no thread works on the program any more. */
  run(program: number, address: number, tile: number, words: Int32Array): Promise<void>
  broken(): boolean
  end(): void
}

interface Member {
  readonly thread: Thread
  /** What it is waited for: the answer to the last order. */
  waiting: boolean
}

async function startTeam(options: ThreadPoolOptions): Promise<Team> {
  const { module, memory, threads, scratch, entries, workers, signal } = options
  signal?.throwIfAborted()
  const members: Member[] = []
  let failure: BareclipError | undefined
  let ready = false
  let ended = false
  let settle: (() => void) | undefined
  let onFailure: (() => void) | undefined

  const answered = (member: Member) => {
    member.waiting = false
    if (members.length === threads && members.every(({ waiting }) => !waiting)) settle?.()
  }
  const failed = (member: Member, error: BareclipError) => {
    if (ended) return
    failure ??= error
    onFailure?.()
    answered(member)
  }
  /** Sends an order to every thread and waits for all answers. */
  const order = (make: (index: number) => ThreadOrder): Promise<void> =>
    new Promise((resolve) => {
      settle = resolve
      for (const member of members) member.waiting = true
      members.forEach((member, i) => {
        try {
          member.thread.post(make(i))
        } catch (cause) {
          failed(member, stopped(ready, 'cannot be given work', cause))
        }
      })
    })
  const end = () => {
    ended = true
    for (const { thread } of members) thread.terminate()
  }

  try {
    for (let i = 0; i < threads; i++) {
      const member: Member = { thread: startThread(threadSource, workers), waiting: true }
      members.push(member)
      member.thread.onMessage((message) => {
        const report = message as ThreadReport | null
        if (report?.bareclip === 'ready' || report?.bareclip === 'done') answered(member)
        if (report?.bareclip === 'failed') {
          failed(member, stopped(ready, 'failed', new Error(report.message), report.outOfMemory))
        }
      })
      member.thread.onEnd((cause) => failed(member, stopped(ready, 'ended', cause)))
    }
  } catch (cause) {
    end()
    throw new BareclipError('DEVICE_UNAVAILABLE', `no thread could be started: ${messageOf(cause)}`, { cause })
  }

  let giveUp = () => {}
  const givenUp = new Promise<void>((resolve) => {
    giveUp = resolve
  })
  onFailure = giveUp
  const timer = setTimeout(() => {
    failure ??= new BareclipError('DEVICE_UNAVAILABLE', `the threads did not start within ${longestStart / 1000} s`)
    giveUp()
  }, longestStart)
  signal?.addEventListener('abort', giveUp)
  const lock = (i: number) => members[i]!.thread.lock
  const started = order((i) => ({
    bareclip: 'start',
    module,
    memory,
    entries,
    scratch: scratch[i]!,
    threads,
    lock: lock(i),
  }))
  await Promise.race([started, givenUp])
  clearTimeout(timer)
  signal?.removeEventListener('abort', giveUp)
  onFailure = undefined
  if (signal?.aborted || failure) {
    end()
    signal?.throwIfAborted()
    throw failure
  }
  ready = true
  for (const { thread } of members) thread.unref()

  return {
    async run(program, address, tile, words) {
      onFailure = () => {
        Atomics.store(words, control.poison, 1)
        Atomics.notify(words, control.phase)
      }
      for (const { thread } of members) thread.ref()
      try {
        await order(() => ({ bareclip: 'run', program, control: address, tile }))
      } finally {
        onFailure = undefined
        if (!ended) for (const { thread } of members) thread.unref()
      }
      if (failure) throw failure
    },
    broken: () => failure !== undefined,
    end,
  }
}

/** Why a thread is no more: while it was started, or later. */
function stopped(
  started: boolean,
  what: string,
  cause: unknown,
  outOfMemory = (cause as { code?: unknown })?.code === outOfMemoryCode,
): BareclipError {
  if (outOfMemory) {
    const message = 'a thread ran out of memory: use fewer threads or a smaller batch'
    return new BareclipError('OUT_OF_MEMORY', message, { cause })
  }
  const message = `a thread ${what}: ${messageOf(cause)}`
  return started
    ? new BareclipError('DEVICE_FAILED', `${message}; the next call starts new threads`, { cause })
    : new BareclipError('DEVICE_UNAVAILABLE', message, { cause })
}

/** Of node:worker_threads. */
const outOfMemoryCode = 'ERR_WORKER_OUT_OF_MEMORY'
