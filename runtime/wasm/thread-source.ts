/**
 * The control block of a run: 32-bit words that host and threads share, then one counter per step. What is written often lies
 * on a cache line of its own.
 */
export const control = {
  /** The host wants the run to end. */
  abort: 0,
  /** A thread is dead: nobody waits for it. */
  poison: 1,
  /** Threads that are through with the present step. */
  arrived: 16,
  /** Counts the steps that all threads have left behind. What threads wait on. */
  phase: 32,
  /** Steps done. */
  progress: 33,
  words: 48,
} as const

/** Longest time on a core that a thread waits for the others before it sleeps, in milliseconds. */
const spinMs = 0.1
/** Longest sleep before it looks again whether the run has ended, in milliseconds. */
const sleepMs = 20

/** What the host tells a thread. `program` and `control` are byte addresses. */
export type ThreadOrder =
  | {
      readonly bareclip: 'start'
      readonly module: WebAssembly.Module
      readonly memory: WebAssembly.Memory
      readonly entries: readonly string[]
      readonly scratch: number
      readonly threads: number
      readonly lock: string | undefined
    }
  | { readonly bareclip: 'run'; readonly program: number; readonly control: number; readonly tile: number }

/** What a thread answers: to `start` ready, to `run` done once it touches nothing any more, or why not. */
export type ThreadReport =
  | { readonly bareclip: 'ready'; readonly lock: string | undefined }
  | { readonly bareclip: 'done' }
  | { readonly bareclip: 'failed'; readonly message: string; readonly outOfMemory: boolean }

/**
 * What a thread runs: a script of its own, for a blob, for `eval` of node:worker_threads, or for a file. It takes orders from
 * parentPort where there is one (Node, Deno, Bun), else as a web worker.
 *
 * A step is shared out through its counter: whoever adds to it owns the units added. Threads meet after each step. The last to
 * arrive opens the next phase; the others spin for a moment, then sleep on the phase, and leave if the run is to end.
 */
export const threadSource = `'use strict'
{
  const builtin = typeof process === 'object' && process && process.getBuiltinModule
  const port = (builtin && builtin.call(process, 'node:worker_threads').parentPort) || globalThis
  let memory, entries, threads, setTile

  const start = (order) => {
    memory = order.memory
    threads = order.threads
    const abort = () => { throw new Error('a kernel gave up') }
    const { exports: functions } = new WebAssembly.Instance(order.module, { env: { memory, abort } })
    const find = (name) => {
      if (typeof functions[name] !== 'function') throw new Error('the module has no function ' + name)
      return functions[name]
    }
    find('setScratch')(order.scratch)
    setTile = functions.setTile
    entries = order.entries.map(find)
  }

  const view = (address, length) => new Int32Array(memory.buffer, address, length)

  const run = (program, address, words) => {
    const steps = view(program, 1)[0]
    const list = view(program, 1 + 4 * steps)
    const counters = view(address + ${4 * control.words}, steps)
    const ended = () => Atomics.load(words, ${control.abort}) + Atomics.load(words, ${control.poison}) > 0

    const meet = (step) => {
      const phase = Atomics.load(words, ${control.phase})
      if (Atomics.add(words, ${control.arrived}, 1) === threads - 1) {
        Atomics.store(words, ${control.arrived}, 0)
        Atomics.store(words, ${control.progress}, step + 1)
        Atomics.store(words, ${control.phase}, phase + 1)
        Atomics.notify(words, ${control.phase})
        return
      }
      const spin = performance.now() + ${spinMs}
      while (performance.now() < spin) {
        for (let i = 0; i < 64; i++) if (Atomics.load(words, ${control.phase}) !== phase) return
      }
      while (Atomics.load(words, ${control.phase}) === phase && !ended()) {
        Atomics.wait(words, ${control.phase}, phase, ${sleepMs})
      }
    }

    for (let step = 0; step < steps; step++) {
      const entry = entries[list[1 + 4 * step]]
      const units = list[2 + 4 * step]
      const chunk = Math.max(1, list[3 + 4 * step])
      const parameters = list[4 + 4 * step]
      if (!entry) throw new Error('step ' + step + ' has no entry')
      if (units <= 0) continue // every thread knows: no need to meet
      for (;;) {
        if (ended()) return
        const from = Atomics.add(counters, step, chunk)
        if (from >= units) break
        entry(parameters, from, Math.min(from + chunk, units))
      }
      if (step < steps - 1) meet(step)
    }
  }

  const follow = (order) => {
    const words = view(order.control, ${control.words})
    if (order.tile) setTile(order.tile)
    try {
      run(order.program, order.control, words)
    } catch (error) {
      Atomics.store(words, ${control.poison}, 1)
      Atomics.notify(words, ${control.phase})
      throw error
    }
  }

  // Resolves to the name of the Web Lock that this thread now holds as long as it lives, if it could get it.
  const hold = (name) => new Promise((resolve) => {
    if (!name || typeof navigator !== 'object' || !navigator.locks) return resolve()
    const forever = () => {
      resolve(name)
      return new Promise(() => {})
    }
    navigator.locks.request(name, forever).catch(() => resolve())
  })

  const answer = (order) => {
    if (!order || typeof order.bareclip !== 'string') return // another library's message
    try {
      if (order.bareclip === 'start') {
        start(order)
        hold(order.lock).then((lock) => port.postMessage({ bareclip: 'ready', lock }))
      } else {
        follow(order)
        port.postMessage({ bareclip: 'done' })
      }
    } catch (error) {
      const outOfMemory = error instanceof RangeError && /memory/i.test(error.message)
      port.postMessage({ bareclip: 'failed', message: String((error && error.message) || error), outOfMemory })
    }
  }
  if (port === globalThis) port.addEventListener('message', (event) => answer(event.data))
  else port.on('message', answer)
}
`
