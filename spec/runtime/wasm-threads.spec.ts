import { deepEqual, equal, ok, rejects } from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { WasmStep } from '../../runtime/wasm/kernel.ts'
import { createThreadPool, defaultThreads, threadsPossible } from '../../runtime/wasm/threads.ts'
import {
  count,
  entries,
  failsWith,
  type Machine,
  slow,
  threadModuleBytes,
  withMachine,
  works,
} from './thread-machine.ts'

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
})

function sharedCopy(values: Int32Array): Int32Array {
  const copy = new Int32Array(new SharedArrayBuffer(values.byteLength))
  copy.set(values)
  return copy
}
