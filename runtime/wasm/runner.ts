import type { RunOptions } from '../device.ts'
import { macrotask } from '../macrotask.ts'
import type { PassStep } from './device.ts'
import type { Heap } from './heap.ts'
import type { WasmModule } from './module.ts'

/** Follows the steps of a pass: on the caller's thread in slices, or on threads of its own. */
export interface Runner {
  /** Bytes that `run` needs at `address` for these steps. */
  programBytes(steps: readonly PassStep[]): number
  run(steps: readonly PassStep[], address: number, live: () => void, options: RunOptions): Promise<void>
  dispose(): void
}

export const scratchBytes = 2 ** 20

type Entry = (parameters: number, from: number, to: number) => void

/** Longest time on the caller's thread between two macrotasks, in milliseconds. */
const sliceMs = 20

export async function createRunner({ module }: WasmModule, heap: Heap, _threads: number): Promise<Runner> {
  const { exports } = await WebAssembly.instantiate(module, { env: { memory: heap.memory } })
  const entries = exports as Record<string, Entry>
  const setScratch = exports.setScratch as (address: number) => void
  setScratch(heap.take(scratchBytes, 'thread scratch'))

  return {
    programBytes: (steps) => 4 * Math.max(0, ...steps.map(({ parameters }) => parameters.length)),
    async run(steps, address, live, { signal, onProgress, onCommand }) {
      const total = steps.reduce((sum, { flops }) => sum + flops, 0)
      let done = 0
      let slice = performance.now()
      let commandMs = 0
      for (const [index, step] of steps.entries()) {
        const parameters = new Int32Array(heap.memory.buffer, address, step.parameters.length)
        step.parameters.forEach((value, i) => {
          parameters[i] = value
        })
        const entry = entries[step.entry]!
        let count = 1
        for (let unit = 0; unit < step.units; ) {
          const next = Math.min(step.units, unit + count)
          const before = performance.now()
          entry(address, unit, next)
          const now = performance.now()
          commandMs += now - before
          unit = next
          if (now - before < sliceMs / 8) count *= 2
          else if (now - before > sliceMs / 2) count = Math.max(1, count >> 1)
          if (now - slice >= sliceMs / 2) {
            onProgress?.(done + (step.flops * unit) / step.units, total)
            await macrotask()
            live()
            signal?.throwIfAborted()
            slice = performance.now()
          }
        }
        done += step.flops
        if (steps[index + 1]?.command !== step.command) {
          onCommand?.(step.command, commandMs)
          commandMs = 0
        }
      }
      onProgress?.(total, total)
    },
    dispose() {},
  }
}
