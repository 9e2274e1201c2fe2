import type { RunOptions } from '../device.ts'
import type { Heap } from './heap.ts'
import type { PassStep, WasmStep } from './kernel.ts'
import type { WasmModule } from './module.ts'
import { encodeProgram, programWords } from './program.ts'
import { runInSlices, type WasmEntry } from './slices.ts'
import { controlWords, createThreadPool, type ThreadPool } from './threads.ts'
import type { TileChoice } from './tile-choice.ts'

/** Follows the steps of a pass: on the caller's thread in slices, or on threads of its own. */
export interface Runner {
  /** Bytes that `run` needs at its `address` for these steps. */
  bytes(steps: readonly PassStep[]): number
  /** live: throws when the device was disposed. */
  run(steps: readonly PassStep[], address: number, live: () => void, options: RunOptions): Promise<void>
  dispose(): void
}

export interface RunnerOptions {
  /** 1: the caller's thread. */
  readonly threads: number
  /** A browser user's worker factory. */
  readonly workers?: (() => Worker) | undefined
  /** What each run sets on every instance. */
  readonly tile: TileChoice
  /** Gives up the start. */
  readonly signal?: AbortSignal | undefined
}

/** Scratch memory of one thread, in bytes. */
export const threadScratch: number = 2 ** 20

export async function createRunner({ module }: WasmModule, heap: Heap, options: RunnerOptions): Promise<Runner> {
  const { threads, workers, tile, signal } = options
  const scratch = Array.from({ length: threads }, () => heap.take(threadScratch, 'thread scratch'))
  if (threads === 1) return singleRunner(module, heap, scratch[0]!, tile)
  const entries = WebAssembly.Module.exports(module).flatMap(({ name, kind }) => (kind === 'function' ? [name] : []))
  const pool = await createThreadPool({ module, memory: heap.memory, threads, scratch, entries, workers, signal })
  return threadedRunner(pool, heap, entries, tile)
}

async function singleRunner(
  module: WebAssembly.Module,
  heap: Heap,
  scratch: number,
  tile: TileChoice,
): Promise<Runner> {
  const { exports } = await WebAssembly.instantiate(module, { env: { memory: heap.memory } })
  const setScratch = exports.setScratch as (address: number) => void
  setScratch(scratch)
  const setTile = exports.setTile as (code: number) => void
  return {
    bytes: (steps) => 4 * steps.reduce((most, { parameters }) => Math.max(most, parameters.length), 0),
    run(steps, address, live, options) {
      setTile(tile.code)
      return runInSlices(exports as Record<string, WasmEntry>, heap.memory, steps, address, live, options)
    },
    dispose() {},
  }
}

/** Chunks of units that a thread takes at once: enough of them that threads end together, and short ones: an abort waits for one. */
const chunksPerThread = 16
const chunkFlops = 3e7

function threadedRunner(pool: ThreadPool, heap: Heap, entries: readonly string[], tile: TileChoice): Runner {
  const controlBytes = (steps: readonly PassStep[]) => 4 * (controlWords + steps.length)

  const follow = async (steps: readonly PassStep[], address: number, options: RunOptions, report: Report) => {
    const program = address + controlBytes(steps)
    const chunk = ({ units }: WasmStep, index: number) => {
      const unitFlops = steps[index]!.flops / Math.max(1, units)
      return Math.max(1, Math.floor(Math.min(units / (pool.threads * chunksPerThread), chunkFlops / unitFlops)))
    }
    const words = encodeProgram(steps, entries, chunk, program)
    new Int32Array(heap.memory.buffer, program, words.length).set(words)
    await pool.run(program, address, { tile: tile.code, signal: options.signal, onProgress: report })
  }

  return {
    bytes: (steps) => controlBytes(steps) + 4 * programWords(steps),
    async run(steps, address, live, options) {
      const { onProgress, onCommand } = options
      const total = steps.reduce((sum, { flops }) => sum + flops, 0)
      let done = 0
      // Threads do not time their steps: to time a command, it is run alone.
      for (const group of onCommand ? byCommand(steps) : [steps]) {
        const start = performance.now()
        const before = done
        let counted = 0
        await follow(group, address, options, (stepsDone) => {
          for (; counted < stepsDone; counted++) done += group[counted]!.flops
          onProgress?.(Math.min(done, total), total)
        })
        live()
        done = before + group.reduce((sum, { flops }) => sum + flops, 0)
        if (onCommand && group[0]) onCommand(group[0].command, performance.now() - start)
      }
      onProgress?.(total, total)
    },
    dispose: () => pool.dispose(),
  }
}

type Report = (stepsDone: number) => void

function byCommand(steps: readonly PassStep[]): PassStep[][] {
  const groups: PassStep[][] = []
  for (const step of steps) {
    const last = groups.at(-1)
    if (last?.[0]?.command === step.command) last.push(step)
    else groups.push([step])
  }
  return groups
}
