import type { RunOptions } from '../device.ts'
import { BareclipError, messageOf } from '../errors.ts'
import { macrotask } from '../macrotask.ts'
import type { PassStep } from './kernel.ts'

/** An export of the module that works off units from … to - 1. */
export type WasmEntry = (parameters: number, from: number, to: number) => void

/** Longest time on the caller's thread between two macrotasks, in milliseconds. */
const sliceMs = 20

/** Follows the steps on the caller's thread; `address` is where a step's parameters are put. */
export async function runInSlices(
  entries: Readonly<Record<string, WasmEntry>>,
  memory: WebAssembly.Memory,
  steps: readonly PassStep[],
  address: number,
  live: () => void,
  { signal, onProgress, onCommand }: RunOptions,
): Promise<void> {
  const total = steps.reduce((sum, { flops }) => sum + flops, 0)
  let done = 0
  let commandMs = 0
  let slice = performance.now()
  for (const [index, step] of steps.entries()) {
    const entry = entries[step.entry]!
    new Int32Array(memory.buffer, address, step.parameters.length).set(step.parameters)
    let count = 1
    for (let unit = 0; unit < step.units; ) {
      const next = Math.min(step.units, unit + count)
      const before = performance.now()
      try {
        entry(address, unit, next)
      } catch (cause) {
        throw new BareclipError('DEVICE_FAILED', `a kernel failed: ${messageOf(cause)}`, { cause })
      }
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
}
