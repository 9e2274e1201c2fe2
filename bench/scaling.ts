import { resolve } from 'node:path'
import { type CaseComparison, compareCase } from './peers/compare.ts'
import { type BenchDtype, oursContender, type PeersOptions } from './peers/peers.ts'
import { ratioText } from './peers/print.ts'
import { createStage, requireFullModel } from './peers/stage.ts'
import { geometricMean, ratioOf, type Spread } from './statistics.ts'
import { digits, table } from './table.ts'

export interface ScalingOptions extends Omit<PeersOptions, 'peers' | 'places' | 'force' | 'dtypes'> {
  readonly dtype: BenchDtype
}

export interface ScalingReport {
  readonly threads: number
  readonly cases: readonly (CaseComparison & { readonly ratio?: Spread })[]
  readonly geometricMean: number
}

/** What takes less with one thread says little about threads. */
const leastMs = 100

/** One thread against `threads` of them, in turn. Throws MODEL_NOT_FOUND, INVALID_ARGUMENT. */
export async function benchScaling(folder: string, options: ScalingOptions): Promise<ScalingReport> {
  requireFullModel(folder)
  const { cases, rounds, threads, dtype, print } = options
  const stage = await createStage(['ours.ts'])
  const make = (count: number) =>
    oursContender(
      stage,
      resolve(folder),
      dtype,
      { ...options, threads: count },
      `${count} thread${count > 1 ? 's' : ''}`,
    )
  const contenders = [make(1), make(threads)]
  const done: (CaseComparison & { readonly ratio?: Spread })[] = []
  try {
    for (const item of cases) {
      const comparison = await compareCase(item, contenders, { rounds })
      const [one, many] = comparison.results
      const ratio = one!.ms && one!.ms.median >= leastMs ? ratioOf(many!, one!) : undefined
      done.push({ ...comparison, ...(ratio && { ratio }) })
      await print(`${lineOf(comparison, ratio)}\n`)
    }
  } finally {
    for (const one of contenders) await one.stop()
    stage.dispose()
  }
  const mean = geometricMean(done.flatMap(({ ratio }) => ratio?.median ?? []))
  if (mean > 0) await print(`geometric mean: ${digits(mean)}×\n`)
  return { threads, cases: done, geometricMean: mean }
}

function lineOf({ name, results }: CaseComparison, ratio: Spread | undefined): string {
  const cells = results.map(({ name: who, ms, failure }) => `${who} ${ms ? `${digits(ms.median)} ms` : failure}`)
  const verdict = ratio ? ratioText(ratio) : `not rated: under ${leastMs} ms, or no result`
  return table([[name.padEnd(8), ...cells, verdict]]).trimEnd()
}
