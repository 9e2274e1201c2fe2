import { type BenchCase, tokensOf } from '../cases.ts'
import type { ProcessMemory } from '../machine.ts'
import { geometricMean, type Spread, spread } from '../statistics.ts'
import type { Contender } from './contender.ts'

export interface Result {
  readonly name: string
  /** By round; empty after a failure. */
  readonly times: readonly number[]
  readonly ms?: Spread
  /** Of the embeddings with those of the first contender, the lower of the first and the last row. */
  readonly cosine?: number
  readonly memory?: ProcessMemory
  readonly failure?: string
}

export interface CaseComparison {
  readonly name: string
  readonly flops: number
  readonly results: readonly Result[]
}

export interface CompareOptions {
  readonly rounds: number
  /** Why a contender should not be asked for this case. */
  readonly skip?: ((contender: Contender, item: BenchCase) => string | undefined) | undefined
}

/** In turn, A B C A B C, so that a drifting machine does not decide. The first round warms up. Whoever fails is out. */
export async function compareCase(
  item: BenchCase,
  contenders: readonly Contender[],
  { rounds, skip }: CompareOptions,
): Promise<CaseComparison> {
  const states = contenders.map((contender) => ({
    contender,
    times: [] as number[],
    rows: undefined as readonly (readonly number[])[] | undefined,
    memory: undefined as ProcessMemory | undefined,
    failure: skip?.(contender, item),
  }))
  for (let round = -1; round < rounds; round++) {
    for (const state of states) {
      if (state.failure !== undefined) continue
      const { ms, memory, rows, error } = await state.contender.ask(item, round < 0)
      state.failure = error
      state.memory = memory
      state.rows ??= rows
      if (round >= 0 && ms !== undefined) state.times.push(ms)
    }
  }
  const first = states.find(({ rows }) => rows)?.rows
  const results = states.map(({ contender: { name }, times, rows, memory, failure }): Result => {
    if (failure !== undefined) return { name, times: [], failure }
    return {
      name,
      times,
      ms: spread(times),
      ...(rows && first && { cosine: Math.min(...rows.map((row, i) => cosine(row, first[i]!))) }),
      ...(memory && { memory }),
    }
  })
  return { name: item.name, flops: towerFlops(item), results }
}

/** How many times as fast `ours` is as `peer`, round by round. */
export function ratioOf(ours: Result, peer: Result): Spread | undefined {
  const rounds = Math.min(ours.times.length, peer.times.length)
  if (rounds === 0) return undefined
  return spread(ours.times.slice(0, rounds).map((ms, round) => peer.times[round]! / ms))
}

export interface Summary {
  readonly ours: string
  readonly peer: string
  readonly geometricMean: number
  readonly worst: number
  readonly worstCase: string
  readonly cases: number
}

/** Over the cases that both finished; undefined if there is none. */
export function summarise(cases: readonly CaseComparison[], ours: string, peer: string): Summary | undefined {
  const ratios = cases.flatMap(({ name, results }) => {
    const find = (wanted: string) => results.find((result) => result.name === wanted)
    const [a, b] = [find(ours), find(peer)]
    const ratio = a && b && ratioOf(a, b)
    return ratio ? [{ name, ratio: ratio.median }] : []
  })
  if (ratios.length === 0) return undefined
  const worst = ratios.reduce((least, one) => (one.ratio < least.ratio ? one : least))
  return {
    ours,
    peer,
    geometricMean: geometricMean(ratios.map(({ ratio }) => ratio)),
    worst: worst.ratio,
    worstCase: worst.name,
    cases: ratios.length,
  }
}

/**
 * Of the full-size towers without padding, one multiply-add as 2: 12 · (18,874,368 n + 3072 n²) for a text of n tokens, 35.13
 * GFLOP for an image.
 */
export function towerFlops(item: BenchCase): number {
  const squares = item.lengths.reduce((sum, length) => sum + length * length, 0)
  return 12 * (18_874_368 * tokensOf(item) + 3072 * squares) + item.images * 35.13e9
}

function cosine(a: readonly number[], b: readonly number[]): number {
  const dot = (x: readonly number[], y: readonly number[]) => x.reduce((sum, value, i) => sum + value * y[i]!, 0)
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b))
}
