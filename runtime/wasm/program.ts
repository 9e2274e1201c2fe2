import type { WasmStep } from './kernel.ts'

/** 32-bit words that the program of these steps takes. */
export function programWords(steps: readonly WasmStep[]): number {
  return 1 + steps.reduce((sum, { parameters }) => sum + 4 + parameters.length, 0)
}

/**
 * The steps of a pass as 32-bit words that any thread can follow. First the number of steps; then per step: index of the entry,
 * units, units taken at once, byte address of its parameters; then the parameters. address: where the words will lie.
 */
export function encodeProgram(
  steps: readonly WasmStep[],
  entries: readonly string[],
  chunk: (step: WasmStep, index: number) => number,
  address: number,
): Int32Array {
  const words = new Int32Array(programWords(steps))
  words[0] = steps.length
  let at = 1 + 4 * steps.length
  steps.forEach((step, i) => {
    words.set([entries.indexOf(step.entry), step.units, chunk(step, i), address + 4 * at], 1 + 4 * i)
    for (const parameter of step.parameters) words[at++] = parameter
  })
  return words
}
