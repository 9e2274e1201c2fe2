import { Benchmark } from '../vendor/benchmark.ts'

/** Something to time. */
export interface Contender {
  /** One pass. */
  run(): Promise<void>
  /** Calls in a pass. */
  readonly calls: number
  /** Instead of those of all. */
  readonly rounds?: number
  /** Instead of those of all. */
  readonly seconds?: number
}

export interface SampleOptions {
  /** Contenders take turns so often: a machine that drifts drifts for all of them. */
  readonly rounds: number
  /** For one contender in one round; it gets one sample at least. */
  readonly seconds: number
  readonly signal?: AbortSignal | undefined
}

/** → for each contender its samples, in ms per call. Throws what a contender throws, and the signal's reason. */
export async function sampleInTurn(
  contenders: readonly Contender[],
  { rounds, seconds, signal }: SampleOptions,
): Promise<number[][]> {
  const samples: number[][] = contenders.map(() => [])
  for (let round = 0; round < rounds; round++) {
    for (const [i, contender] of contenders.entries()) {
      signal?.throwIfAborted()
      if (round >= (contender.rounds ?? rounds)) continue
      samples[i]!.push(...(await sampleOne(contender, contender.seconds ?? seconds)))
    }
  }
  return samples
}

/**
 * benchmark.js decides how many passes there are; each is a sample, whose calls were counted before. The clock is ours: in a
 * browser benchmark.js knows milliseconds only.
 */
function sampleOne({ run, calls }: Contender, seconds: number): Promise<number[]> {
  return new Promise((resolve, reject) => {
    let failure: { readonly error: unknown } | undefined
    const samples: number[] = []
    const benchmark = new Benchmark('', {
      defer: true,
      delay: 0,
      initCount: 1,
      minSamples: 1,
      minTime: 1e-9, // seconds: one pass is enough
      maxTime: seconds,
      fn(deferred: { resolve(): void }) {
        const start = performance.now()
        run().then(
          () => {
            samples.push((performance.now() - start) / calls)
            deferred.resolve()
          },
          (error) => {
            failure = { error }
            benchmark.abort()
            deferred.resolve()
          },
        )
      },
      onComplete() {
        const { error = failure?.error } = benchmark as { error?: unknown }
        if (failure || error) reject(error)
        else resolve(samples)
      },
    })
    benchmark.run({ async: true })
  })
}

/** Passes before any is measured: engines compile well only what has run for a while. */
const warmMs = 40
/** Of what never ran before: the good code comes some time after it was asked for. */
const coldMs = 300
const coldPasses = 4
/** Long enough that starting it and waiting for it do not count. */
const passMs = 8
const mostCalls = 4096

/**
 * Warms up and finds how many calls make a pass. call: runs so many of them, one after the other; cold: it never ran before;
 * share: of the time that this usually takes
 */
export async function calibrated(
  call: (count: number) => Promise<void>,
  { share = 1, cold = false }: { readonly share?: number; readonly cold?: boolean } = {},
): Promise<Contender & { readonly passMs: number }> {
  const start = performance.now()
  const wanted = share * (cold ? coldMs : warmMs)
  let long = 0
  for (let calls = 1; ; ) {
    const before = performance.now()
    await call(calls)
    const now = performance.now()
    const ms = Math.max(0.01, now - before)
    if (ms >= passMs * share || calls === mostCalls) {
      long++
      if (now - start >= wanted && (!cold || share < 1 || long >= coldPasses))
        return { calls, run: () => call(calls), passMs: ms }
    } else calls = Math.min(mostCalls, Math.max(2 * calls, Math.floor((calls * passMs * share) / ms)))
  }
}
