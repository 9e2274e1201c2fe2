import { deepEqual, equal, ok, rejects } from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { spawn } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Worker as NodeWorker } from 'node:worker_threads'
import { BareclipError } from '../../runtime/errors.ts'
import type { WasmStep } from '../../runtime/wasm/kernel.ts'
import { threadSource } from '../../runtime/wasm/thread-source.ts'
import { createThreadPool, defaultThreads, threadsPossible } from '../../runtime/wasm/threads.ts'
import { createMachine, entries, type Machine, runtimeArguments, threadModuleBytes } from './thread-machine.ts'

const withMachine = async (threads: number, use: (machine: Machine) => Promise<void>, workers?: () => Worker) => {
  const machine = await createMachine(threads, workers)
  try {
    await use(machine)
  } finally {
    machine.pool.dispose()
  }
}

const count = ({ cells }: Machine, units: number): WasmStep => ({ entry: 'count', units, parameters: [cells.first] })
/** `times` milliseconds or so per unit */
const slow = ({ cells }: Machine, units: number, times = 1): WasmStep => ({
  entry: 'slow',
  units,
  parameters: [cells.second, times],
})

/** Nothing is lost, done twice or left behind: the pool still counts as it should. */
async function works(machine: Machine) {
  const { cells } = machine
  machine.words(cells.first, 1024).fill(0)
  await machine.run([count(machine, 1000), count(machine, 500)])
  const got = [...machine.words(cells.first, 1024)]
  deepEqual(
    got,
    Array.from({ length: 1024 }, (_, u) => (u < 500 ? 2 : u < 1000 ? 1 : 0)),
  )
}

const failsWith = (code: string, message: RegExp) => (error: unknown) => {
  ok(error instanceof BareclipError, String(error))
  equal(error.code, code)
  ok(message.test(error.message), error.message)
  return true
}

/** A user's factory, and the workers it made: node:worker_threads are taken as well as web workers. */
function factory(source = threadSource) {
  const made: NodeWorker[] = []
  const workers = () => {
    const worker = new NodeWorker(source, { eval: true, execArgv: [] })
    made.push(worker)
    return worker as unknown as Worker
  }
  return { made, workers }
}

describe('threads of the wasm device', () => {
  before(() => {
    threadModuleBytes()
  })

  it('are possible here, as many as there are cores', () => {
    deepEqual(threadsPossible(), { possible: true })
    ok(Number.isInteger(defaultThreads()) && defaultThreads() >= 1)
  })

  it('are not possible on a page that is not isolated, or without shared memory', async () => {
    const cases = [
      ['crossOriginIsolated', false, /^this page is not cross-origin isolated: .*Cross-Origin-Embedder-Policy/],
      ['SharedArrayBuffer', undefined, /^there is no SharedArrayBuffer here$/],
    ] as const
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 2, shared: true })
    for (const [name, value, reason] of cases) {
      const before = Object.getOwnPropertyDescriptor(globalThis, name)
      Object.defineProperty(globalThis, name, { value, configurable: true, writable: true })
      try {
        const possible = threadsPossible()
        ok(!possible.possible && reason.test(possible.reason))
        const pool = createThreadPool({
          module: new WebAssembly.Module(threadModuleBytes()),
          memory,
          threads: 1,
          scratch: [0],
          entries,
        })
        await rejects(pool, failsWith('DEVICE_UNAVAILABLE', reason))
      } finally {
        if (before) Object.defineProperty(globalThis, name, before)
        else Reflect.deleteProperty(globalThis, name)
      }
    }
  })

  for (const threads of [1, 2, 3, 7]) {
    it(`every unit once, whatever is taken at once: ${threads}`, async () => {
      await withMachine(threads, async (machine) => {
        for (const units of [0, 1, 2, threads, threads + 1, 997]) {
          for (const chunk of [1, 3, 64, 5000, 0]) {
            const cells = machine.words(machine.cells.first, 1024).fill(0)
            await machine.run([count(machine, units)], { chunk })
            deepEqual([...cells], [...new Array(units).fill(1), ...new Array(1024 - units).fill(0)])
          }
        }
      })
    })

    it(`a step sees all that the step before wrote: ${threads}`, async () => {
      await withMachine(threads, async (machine) => {
        const { first, second } = machine.cells
        const steps = Array.from({ length: 400 }, (_, i): WasmStep => {
          // Also of no and of one unit, in between and at the end.
          const units = i % 7 === 3 ? 0 : i % 11 === 5 ? 1 : 300
          return { entry: 'mirror', units, parameters: i % 2 === 0 ? [first, second, 300] : [second, first, 300] }
        })
        const cells = [new Int32Array(300), new Int32Array(300)]
        steps.forEach(({ units }, i) => {
          const [source, target] = [cells[i % 2]!, cells[1 - (i % 2)]!]
          for (let u = 0; u < units; u++) target[u] = Math.imul(3, source[299 - u]!) + u
        })
        for (let repeat = 0; repeat < 5; repeat++) {
          machine.words(first, 1024).fill(0)
          machine.words(second, 1024).fill(0)
          await machine.run(steps, { chunk: 1 + repeat })
          deepEqual(machine.words(first, 300), sharedCopy(cells[0]!))
          deepEqual(machine.words(second, 300), sharedCopy(cells[1]!))
        }
      })
    })
  }

  it('each has its scratch memory, and all take part', async () => {
    await withMachine(3, async (machine) => {
      await machine.run([{ entry: 'own', units: 300, parameters: [machine.cells.first] }])
      const seen = new Set(machine.words(machine.cells.first, 300))
      deepEqual(
        [...seen].sort((a, b) => a - b),
        machine.scratch,
      )
    })
  })

  it('nothing to do: no steps, or only steps without units', async () => {
    await withMachine(2, async (machine) => {
      await machine.run([])
      await machine.run([count(machine, 0), count(machine, 0)])
      await works(machine)
    })
  })

  it('memory that grew meanwhile, past 2 GiB', async () => {
    await withMachine(2, async (machine) => {
      machine.memory.grow(1)
      const after = machine.memory.buffer.byteLength - 65536
      machine.words(machine.cells.first, 1024).fill(0)
      await machine.run([count(machine, 10)], { base: after })
      machine.memory.grow(32768)
      const far = machine.memory.buffer.byteLength - 65536
      ok(far > 2 ** 31)
      const cells = machine.words(far + 32768, 10).fill(4)
      await machine.run([{ entry: 'count', units: 10, parameters: [far + 32768] }], { base: far })
      deepEqual([...cells], new Array(10).fill(5))
      equal(machine.words(machine.cells.first, 1)[0], 1)
    })
  })

  it('report progress, ever further, up to all steps', async () => {
    await withMachine(2, async (machine) => {
      const seen: number[] = []
      const steps = Array.from({ length: 30 }, () => slow(machine, 20))
      await machine.run(steps, { onProgress: (done) => seen.push(done) })
      equal(seen.at(-1), 30)
      ok(seen.length > 2, `${seen}`)
      ok(
        seen.every((done, i) => i === 0 || done > seen[i - 1]!),
        `${seen}`,
      )
    })
  })

  it('what onProgress throws ends the run', async () => {
    await withMachine(2, async (machine) => {
      const steps = Array.from({ length: 1000 }, () => slow(machine, 100))
      const mistake = new Error('a mistake in a callback')
      const onProgress = () => {
        throw mistake
      }
      await rejects(machine.run(steps, { onProgress }), (error) => error === mistake)
      await works(machine)
    })
  })

  it('leave the calling thread alone', async () => {
    await withMachine(2, async (machine) => {
      let turns = 0
      const timer = setInterval(() => turns++, 5)
      await machine.run([slow(machine, 400), slow(machine, 400)])
      clearInterval(timer)
      ok(turns > 5, `${turns} turns`)
    })
  })

  describe('aborting', () => {
    for (const [title, steps] of [
      ['one long step', (machine: Machine) => [slow(machine, 1_000_000)]],
      ['many steps', (machine: Machine) => Array.from({ length: 5000 }, () => slow(machine, 20))],
      ['one works while the others wait', (machine: Machine) => Array.from({ length: 5000 }, () => slow(machine, 1))],
    ] as const) {
      it(`${title}: within 100 ms, and the threads work on`, async () => {
        await withMachine(3, async (machine) => {
          let quickest = Number.POSITIVE_INFINITY
          for (let attempt = 0; attempt < 5 && quickest >= 100; attempt++) {
            const controller = new AbortController()
            const reason = new Error('enough')
            let aborted = 0
            setTimeout(() => {
              aborted = performance.now()
              controller.abort(reason)
            }, 50)
            await rejects(machine.run(steps(machine), { signal: controller.signal }), (error) => error === reason)
            quickest = Math.min(quickest, performance.now() - aborted)
            await works(machine)
          }
          ok(quickest < 100, `${quickest} ms`)
        })
      })
    }

    it('before the run: nothing is computed', async () => {
      await withMachine(2, async (machine) => {
        const cells = machine.words(machine.cells.first, 10).fill(0)
        for (const reason of [new Error('enough'), 'a string']) {
          const signal = AbortSignal.abort(reason)
          await rejects(machine.run([count(machine, 10)], { signal }), (error) => error === reason)
        }
        deepEqual([...cells], new Array(10).fill(0))
        await works(machine)
      })
    })

    it('at once after the start, again and again', async () => {
      await withMachine(2, async (machine) => {
        for (let i = 0; i < 30; i++) {
          const controller = new AbortController()
          const run = machine.run([slow(machine, 1_000_000)], { signal: controller.signal })
          if (i % 2 === 0) await sleep(i)
          controller.abort()
          await rejects(run, { name: 'AbortError' })
        }
        await works(machine)
      })
    })

    it('after the run: too late to matter', async () => {
      await withMachine(2, async (machine) => {
        const controller = new AbortController()
        await machine.run([count(machine, 10)], { signal: controller.signal })
        controller.abort()
        await works(machine)
      })
    })
  })

  describe('faults', () => {
    it('a kernel that traps: an error, then new threads', async () => {
      const { made, workers } = factory()
      await withMachine(
        3,
        async (machine) => {
          const trap: WasmStep = { entry: 'trap', units: 100, parameters: [0] }
          for (let round = 1; round <= 3; round++) {
            await rejects(
              machine.run([count(machine, 10), trap, slow(machine, 1_000_000)]),
              failsWith('DEVICE_UNAVAILABLE', /^a thread failed: .*unreachable/i),
            )
            await works(machine)
            equal(made.length, 3 + 3 * round)
          }
        },
        workers,
      )
    })

    it('a program that names no entry', async () => {
      await withMachine(2, async (machine) => {
        const step: WasmStep = { entry: 'no such', units: 1, parameters: [] }
        await rejects(machine.run([step]), failsWith('DEVICE_UNAVAILABLE', /step 0 has no entry/))
        await works(machine)
      })
    })

    for (const [title, steps, victims] of [
      ['all at work', (machine: Machine) => [slow(machine, 1_000_000)], 1],
      // Nobody knows which: so all but one are killed, and again, the other ones.
      ['one at work, two wait', (machine: Machine) => [slow(machine, 1, 400), slow(machine, 1)], 2],
      ['one at work, two wait, all killed', (machine: Machine) => [slow(machine, 1, 400), slow(machine, 1)], 3],
    ] as const) {
      it(`killed from outside: ${title}`, async () => {
        const { made, workers } = factory()
        await withMachine(
          3,
          async (machine) => {
            for (let round = 1; round <= 3; round++) {
              const run = rejects(machine.run(steps(machine)), failsWith('DEVICE_UNAVAILABLE', /^a thread ended/))
              await sleep(60)
              const present = made.slice(-3)
              for (let i = 0; i < victims; i++) void present[(round + i) % 3]!.terminate()
              await run
              await works(machine)
              equal(made.length, 3 + 3 * round)
            }
          },
          workers,
        )
      })
    }

    it('killed from outside between two runs', async () => {
      const { made, workers } = factory()
      await withMachine(
        2,
        async (machine) => {
          await works(machine)
          await made[0]!.terminate()
          await sleep(20)
          await works(machine)
          equal(made.length, 4)
        },
        workers,
      )
    })

    it('a worker that throws between two runs', async () => {
      const { made, workers } = factory(`${threadSource};
        process.getBuiltinModule('node:worker_threads').parentPort.on('message', (message) => {
          if (message === 'fail') throw new Error('unrelated')
        })`)
      await withMachine(
        2,
        async (machine) => {
          await works(machine)
          for (const message of ['of another library', null, 'fail']) made[1]!.postMessage(message)
          await sleep(100)
          await works(machine)
          equal(made.length, 4)
        },
        workers,
      )
    })

    it('threads that cannot be had: a sentence says why', async () => {
      const memory = new WebAssembly.Memory({ initial: 4, maximum: 65536, shared: true })
      const start = async (options: Partial<Parameters<typeof createThreadPool>[0]>) => {
        const pool = await createThreadPool({
          module: new WebAssembly.Module(threadModuleBytes()),
          memory,
          threads: 2,
          scratch: [0, 64],
          entries,
          ...options,
        })
        pool.dispose()
      }
      const refuse = () => {
        throw new Error('blob: refused')
      }
      const cases: [Partial<Parameters<typeof createThreadPool>[0]>, RegExp][] = [
        [{ workers: refuse }, /^no thread could be started: blob: refused$/],
        [{ workers: factory('throw new Error("wrong file")').workers }, /^a thread ended: .*wrong file/],
        [{ workers: factory('process.exit(3)').workers }, /^a thread ended: /],
        [{ entries: ['count', 'nothing'] }, /^a thread failed: the module has no function nothing$/],
        [{ memory: new WebAssembly.Memory({ initial: 4 }) }, /^a thread (cannot be given work|failed)/],
      ]
      for (const [options, message] of cases) await rejects(start(options), failsWith('DEVICE_UNAVAILABLE', message))
      await start({})
    })
  })

  describe('ending', () => {
    it('two pools at once do not disturb each other', async () => {
      await withMachine(2, (first) =>
        withMachine(3, async (second) => {
          const trap: WasmStep = { entry: 'trap', units: 100, parameters: [0] }
          for (let i = 0; i < 5; i++) {
            const [one, other] = await Promise.allSettled([
              first.run([slow(first, 50), i === 2 ? trap : count(first, 1), slow(first, 5)]),
              works(second),
            ])
            equal(one.status, i === 2 ? 'rejected' : 'fulfilled')
            equal(other.status, 'fulfilled')
          }
          first.pool.dispose()
          await works(second)
        }),
      )
    })

    it('dispose ends a run, and every later call says so', async () => {
      const machine = await createMachine(3)
      const run = rejects(machine.run([slow(machine, 1_000_000)]), failsWith('DISPOSED', /while it was at work/))
      await sleep(30)
      machine.pool.dispose()
      machine.pool.dispose()
      await run
      await rejects(machine.run([count(machine, 1)]), failsWith('DISPOSED', /load it again/))
    })

    it('dispose while new threads start', async () => {
      const { made, workers } = factory()
      const machine = await createMachine(2, workers)
      await made[0]!.terminate()
      await sleep(20)
      const run = rejects(machine.run([slow(machine, 1_000_000)]), failsWith('DISPOSED', /load it again/))
      machine.pool.dispose()
      await run
    })

    it('200 pools, one after the other, leave no thread behind', async function () {
      this.timeout(180_000)
      const once = async () => {
        const machine = await createMachine(1)
        await machine.run([count(machine, 100)])
        machine.pool.dispose()
      }
      for (let i = 0; i < 10; i++) await once()
      const before = await settledThreads()
      for (let i = 0; i < 190; i++) await once()
      const after = await settledThreads(before + 2)
      ok(after <= before + 2, `${before} threads before, ${after} after`)
    })

    for (const what of ['idle', 'run-then-idle', 'disposed', 'aborted', 'trapped', 'disposed-in-a-run']) {
      it(`the process ends by itself: ${what}`, async () => {
        const script = fileURLToPath(new URL('./thread-child.ts', import.meta.url))
        const loader = 'deno' in process.versions || 'bun' in process.versions ? [] : ['--import', 'tsx']
        const kernels = Buffer.from(threadModuleBytes()).toString('base64')
        const child = spawn(process.execPath, [...runtimeArguments, ...loader, script, what, kernels], {
          stdio: ['ignore', 'pipe', 'inherit'],
          env: { ...process.env, NODE_OPTIONS: '' },
        })
        const timer = setTimeout(() => child.kill('SIGKILL'), 30_000)
        let output = ''
        child.stdout.on('data', (data) => {
          output += data
        })
        const code = await new Promise((resolve) => child.on('close', resolve))
        clearTimeout(timer)
        equal(output.trim(), 'done')
        equal(code, 0)
      })
    }
  })
})

function sharedCopy(values: Int32Array): Int32Array {
  const copy = new Int32Array(new SharedArrayBuffer(values.byteLength))
  copy.set(values)
  return copy
}

/** Of this process, once it is at most `most` or no longer falls; 0 where there is no telling. */
async function settledThreads(most = 0): Promise<number> {
  const folder = '/proc/self/task'
  if (!existsSync(folder)) return 0
  let last = Number.POSITIVE_INFINITY
  for (let i = 0; i < 20; i++) {
    const now = readdirSync(folder).length
    if (now <= most || (most === 0 && now >= last)) return now
    last = now
    await sleep(250)
  }
  return last
}
