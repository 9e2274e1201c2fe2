import { type BenchCase, tokensOf } from '../cases.ts'
import type { ProcessMemory } from '../machine.ts'
import { geometricMean, ratioOf, type Spread, spread } from '../statistics.ts'
import type { Contender } from './contender.ts'
import type { Answer } from './protocol.ts'

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

export interface TurnOptions<Item> {
  readonly rounds: number
  /** Why a contender should not be asked for this case. */
  readonly skip?: ((contender: Contender<Item>, item: Item) => string | undefined) | undefined
}

/** What one contender computed and how long it took. */
export interface Turns {
  readonly name: string
  /** By round; empty after a failure. */
  readonly times: readonly number[]
  readonly rows: Answer['rows']
  readonly memory: ProcessMemory | undefined
  readonly failure: string | undefined
}

export interface Computed {
  readonly name: string
  readonly rows: Answer['rows']
}

/**
 * In turn, A B C A B C, so that a drifting machine does not decide. The first round warms up and shows what each computes:
 * `judge` says of each but the first what is wrong with it. Whoever is wrong or fails is asked no more.
 */
export async function takeTurns<Item>(
  item: Item,
  contenders: readonly Contender<Item>[],
  { rounds, skip }: TurnOptions<Item>,
  judge: (found: Computed, first: Computed) => string | undefined,
): Promise<Turns[]> {
  const states = contenders.map((contender) => ({
    contender,
    times: [] as number[],
    rows: undefined as Answer['rows'],
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
      const first = states.find(({ rows, failure }) => rows && failure === undefined)
      if (round >= 0 || !first || first === state || error !== undefined) continue
      const what = (of: typeof state): Computed => ({ name: of.contender.name, rows: of.rows })
      state.failure = judge(what(state), what(first))
    }
  }
  return states.map(({ contender: { name }, times, rows, memory, failure }) => ({
    ...{ name, times: failure === undefined ? times : [], rows, memory, failure },
  }))
}

export async function compareCase(
  item: BenchCase,
  contenders: readonly Contender[],
  options: TurnOptions<BenchCase>,
): Promise<CaseComparison> {
  const turns = await takeTurns(item, contenders, options, ({ name, rows }, first) => {
    const found = lowestCosine(rows, first.rows)
    if (found >= leastCosine(name)) return undefined
    return `computes something else than ${first.name} (cosine ${found.toFixed(3)}), so it is not timed`
  })
  const first = turns.find(({ rows, failure }) => rows && failure === undefined)
  const results = turns.map(({ name, times, rows, memory, failure }): Result => {
    if (failure !== undefined) return { name, times: [], failure }
    return {
      name,
      times,
      ms: spread(times),
      ...(rows && first && { cosine: lowestCosine(rows, first.rows) }),
      ...(memory && { memory }),
    }
  })
  return { name: item.name, flops: towerFlops(item), results }
}

/** Below it something else was computed: 8-bit weights and activations of these towers keep 0.99, arithmetic in f16 0.9997. */
function leastCosine(name: string): number {
  if (name.includes('q8')) return 0.97
  return name.includes('f16') ? 0.99 : 0.999
}

/** NaN where one has no rows or others. */
function lowestCosine(rows: Answer['rows'], expected: Answer['rows']): number {
  if (!rows || !expected || rows.length !== expected.length) return Number.NaN
  return Math.min(...rows.map((row, i) => cosine(row, expected[i]!)))
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

function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const dot = (x: ArrayLike<number>, y: ArrayLike<number>) => {
    let sum = 0
    for (let i = 0; i < x.length; i++) sum += x[i]! * y[i]!
    return sum
  }
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b))
}
