import { allCases } from '../../kernels/cases.ts'
import type { KernelOptions } from './options.ts'
import type { BenchShape } from './shapes/shape.ts'
import type { Target, Variant } from './targets/target.ts'
import { entryOf, keyOf, type Measured, merged, timeShape } from './time.ts'
import { validateCases, validateShape } from './validate.ts'

/** In each sweep. */
const thorough = { rounds: 2, seconds: 0.04, mostSeconds: 0.4 }
const hasty = { rounds: 2, seconds: 0.02, mostSeconds: 0.3 }

type RunOptions = Pick<
  KernelOptions,
  'variants' | 'quick' | 'signal' | 'onTarget' | 'onRisen' | 'onEntries' | 'onProgress'
>

/** A shape and what came of it so far. */
interface Job {
  readonly shape: BenchShape
  readonly variants: readonly Variant[]
  readonly measured: readonly Measured[]
}

/**
 * Validates and times in a first sweep over all shapes, times again in a second one: what disturbs a machine for some seconds
 * disturbs only one of them.
 */
export async function benchTarget(
  target: Target,
  operations: readonly string[],
  shapes: readonly BenchShape[],
  options: RunOptions,
): Promise<Measured[]> {
  const { onProgress, onTarget, onEntries, signal, quick } = options
  const { device } = target.info
  const wanted = (operation: string, dtype: string) =>
    target
      .variants(operation, dtype)
      .filter(({ name }) => options.variants?.some((part) => name.includes(part)) ?? true)
  const asked = operations.flatMap((operation) => {
    const mine = shapes.filter((shape) => shape.operation === operation)
    const dtypes = [...new Set(mine.map(({ dtype }) => dtype))]
    const variants = new Map(dtypes.map((dtype) => [dtype, wanted(operation, dtype)]))
    return [...variants.values()].some((list) => list.length > 0) ? [{ operation, shapes: mine, variants }] : []
  })
  if (asked.length === 0) return []
  onProgress?.(`${device}: its roofs …`)
  const looks = quick ? 0.3 : 1
  await target.measureRoofs(looks)
  await onTarget?.(target)
  let shown = ratesOf(target)
  const lookAgain = async () => {
    await target.measureRoofs(looks)
    const risen = target.roofs.filter(({ name, rate }) => rate > 1.05 * (shown.get(name) ?? 0))
    if (risen.length > 0) await options.onRisen?.(risen, shown)
    shown = ratesOf(target)
  }
  const times = { ...(quick ? hasty : thorough), warmShare: target.slow ? 0.1 : 1, warmed: new Set<string>(), signal }
  const time = async ({ shape, variants, measured }: Job, data: unknown): Promise<Job> => {
    if (variants.length === 0) return { shape, variants, measured }
    const again = await timeShape(shape, data, variants, target, times)
    return { shape, variants, measured: merged(measured, again) }
  }
  const sweeps: { operation: string; jobs: Job[] }[] = []
  for (const { operation, shapes: mine, variants } of asked) {
    onProgress?.(`${device}: ${operation}, its cases …`)
    const cases = device === 'reference' ? [] : allCases().filter((item) => item.operation === operation)
    const wrongs = await validateCases(cases, (dtype) => variants.get(dtype) ?? [], signal)
    const jobs: Job[] = []
    for (const shape of mine) {
      onProgress?.(`${device}: ${operation} ${shape.name} ${shape.dtype}, first time …`)
      const data = shape.data()
      const job = await validated(target, shape, data, variants.get(shape.dtype) ?? [], wrongs, signal)
      jobs.push(await time(job, data))
      signal?.throwIfAborted()
    }
    sweeps.push({ operation, jobs })
  }
  if (!target.slow) await lookAgain() // shares are shown from here on
  const done: Measured[] = []
  for (const { operation, jobs } of sweeps) {
    const measured: Measured[] = []
    for (const job of jobs) {
      onProgress?.(`${device}: ${operation} ${job.shape.name} ${job.shape.dtype}, second time …`)
      const last = target.slow ? job : await time(job, job.shape.data())
      measured.push(...last.measured)
      signal?.throwIfAborted()
    }
    done.push(...measured)
    await onEntries?.(
      measured.map((one) => entryOf(one, target)),
      target,
    )
  }
  await lookAgain()
  return done
}

const ratesOf = ({ roofs }: Target) => new Map(roofs.map(({ name, rate }) => [name, rate]))

/** wrongs: by their awkward cases */
async function validated(
  target: Target,
  shape: BenchShape,
  data: unknown,
  variants: readonly Variant[],
  wrongs: ReadonlyMap<Variant, string>,
  signal: AbortSignal | undefined,
): Promise<Job> {
  const all = variants.filter(({ name }) => !shape.same || !name.includes(shape.same))
  const trusted = all.filter((variant) => !wrongs.has(variant))
  const isReference = target.info.device === 'reference' // what all others are compared with
  const wrongHere = isReference ? new Map() : await validateShape(shape, data, trusted, signal)
  const measured = all.flatMap((variant): Measured[] => {
    const wrong = wrongs.get(variant) ?? wrongHere.get(variant)
    return wrong === undefined ? [] : [{ ...keyOf(shape, variant.name, target), wrong }]
  })
  return { shape, variants: trusted.filter((variant) => !wrongHere.has(variant)), measured }
}
