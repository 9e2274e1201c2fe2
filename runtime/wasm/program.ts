import type { WasmStep } from './kernel.ts'

/**
 * The steps of a pass as 32-bit words that any thread can follow. Header: number of steps; then per step: index of the entry,
 * units, units taken at once, byte address of its parameters, which follow.
 */
export interface Program {
  readonly words: Int32Array
  readonly steps: number
}

/** Where the words will lie. chunk: units that a thread takes at once, per step. */
export function encodeProgram(
  steps: readonly WasmStep[],
  entries: readonly string[],
  chunk: (step: WasmStep, index: number) => number,
  address: number,
): Program {
  const parameters = steps.reduce((sum, step) => sum + step.parameters.length, 0)
  const words = new Int32Array(1 + 4 * steps.length + parameters)
  words[0] = steps.length
  let at = 1 + 4 * steps.length
  steps.forEach((step, i) => {
    words.set([entries.indexOf(step.entry), step.units, chunk(step, i), address + 4 * at], 1 + 4 * i)
    for (const parameter of step.parameters) words[at++] = parameter
  })
  return { words, steps: steps.length }
}
