import { equal, ok, rejects } from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { spawn } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { WasmStep } from '../../runtime/wasm/kernel.ts'
import { threadSource } from '../../runtime/wasm/thread-source.ts'
import { createThreadPool } from '../../runtime/wasm/threads.ts'
import {
  count,
  createMachine,
  entries,
  factory,
  failsWith,
  type Machine,
  runtimeArguments,
  slow,
  threadModuleBytes,
  withMachine,
  works,
} from './thread-machine.ts'

describe('threads of the wasm device, faults and endings', () => {
  before(() => {
    threadModuleBytes()
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
              failsWith('DEVICE_FAILED', /^a thread failed: .*unreachable.*; the next call starts new threads$/i),
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
        await rejects(machine.run([step]), failsWith('DEVICE_FAILED', /step 0 has no entry/))
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
              const run = rejects(machine.run(steps(machine)), failsWith('DEVICE_FAILED', /^a thread ended/))
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
        [
          { workers: () => ({}) as Worker },
          /^no thread could be started: `workers` should return a Worker, found an object \(Object\)$/,
        ],
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

    it('70 pools, one after the other, leave no thread behind', async function () {
      this.timeout(180_000)
      const once = async () => {
        const machine = await createMachine(1)
        await machine.run([count(machine, 100)])
        machine.pool.dispose()
      }
      for (let i = 0; i < 10; i++) await once()
      const before = await settledThreads()
      for (let i = 0; i < 60; i++) await once()
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
