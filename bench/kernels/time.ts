import type { Device } from '../../runtime/device.ts'
import { spread } from '../statistics.ts'
import type { KernelEntry, KernelKey } from './report.ts'
import { makeResident, type ResidentCase } from './resident.ts'
import { type Limit, limitOf, type Work } from './roofline.ts'
import { type Contender, calibrated, sampleInTurn } from './sampler.ts'
import type { BenchShape } from './shapes/shape.ts'
import type { Target, Variant } from './targets/target.ts'

export interface TimeOptions {
  /** Variants take turns so often. */
  readonly rounds: number
  /** For each variant in each round. */
  readonly seconds: number
  /** For each variant in all, if a call takes long; it is called once at least. */
  readonly mostSeconds: number
  /** 1 where calls are timed well, less where they take very long. */
  readonly warmShare: number
  /** Kernels that have run for a while. */
  readonly warmed: Set<string>
  readonly signal?: AbortSignal | undefined
}

/** What came of a kernel, before it is set against the roofs. */
export type Measured = KernelKey &
  (
    | { readonly wrong: string }
    | {
        readonly work: Work
        readonly steps: number | undefined
        /** ms per call */
        readonly times: readonly number[]
        /** ms of all threads per call, where the runtime tells. */
        readonly processorTimes: readonly number[]
        readonly gpuTimes: readonly number[]
        /** Of the steady work beside it, as `Target` has it. */
        readonly steady: readonly number[]
        /** Least ms of the processor for steady work that is limited alike. */
        readonly steadyProcessor: Readonly<Record<Limit['bound'], number>>
      }
  )

/** All variants of a shape, in turn, on the same operands. */
export async function timeShape(
  shape: BenchShape,
  data: unknown,
  variants: readonly Variant[],
  target: Target,
  options: TimeOptions,
): Promise<Measured[]> {
  const { signal, rounds, mostSeconds } = options
  const residents = new Map<Device, ResidentCase>()
  try {
    for (const { device } of variants) {
      if (!residents.has(device)) residents.set(device, await makeResident(device, shape, data))
    }
    const contenders: Contender[] = []
    const processorTimes: number[][] = variants.map(() => [])
    for (const [i, { device, choose, name }] of variants.entries()) {
      const call = async (count: number) => {
        choose()
        await runCalls(device, residents.get(device)!, count, undefined, signal)
      }
      const kernel = `${shape.operation} ${shape.dtype} ${name}`
      const cold = !options.warmed.has(kernel)
      options.warmed.add(kernel)
      const { passMs, ...contender } = await calibrated(call, { share: options.warmShare, cold })
      const fits = Math.floor((1000 * mostSeconds) / passMs)
      const run = async () => {
        const before = processorTime()
        await contender.run()
        const after = processorTime()
        if (before !== undefined && after !== undefined) processorTimes[i]!.push((after - before) / contender.calls)
      }
      contenders.push({ ...contender, run, rounds: Math.max(1, Math.min(rounds, fits)) })
    }
    const steady: number[] = []
    const steadyProcessor: Record<Limit['bound'], number> = { compute: Number.NaN, memory: Number.NaN }
    const least = async (bound: Limit['bound'], run: () => Promise<unknown>) => {
      const before = processorTime() ?? Number.NaN
      await run()
      const ms = (processorTime() ?? Number.NaN) - before
      if (!(ms >= steadyProcessor[bound])) steadyProcessor[bound] = ms
    }
    const beside: Contender = {
      ...{ calls: 1, rounds, seconds: 0 },
      async run() {
        await least('compute', async () => void steady.push(await target.steady()))
        if (target.steadyCopy) await least('memory', target.steadyCopy)
      },
    }
    const times = await sampleInTurn([...contenders, beside], options)
    const measured: Measured[] = []
    for (const [i, variant] of variants.entries()) {
      const { device, choose, steps, name } = variant
      const resident = residents.get(device)!
      choose()
      await runCalls(device, resident, 1, undefined, signal) // for its steps
      measured.push({
        ...keyOf(shape, name, target),
        work: resident.work,
        steps: steps?.(),
        times: times[i]!,
        processorTimes: processorTimes[i]!,
        gpuTimes: target.timestamps ? await onTheDevice(device, resident, contenders[i]!.calls, signal) : [],
        steady,
        steadyProcessor,
      })
    }
    return measured
  } finally {
    for (const resident of residents.values()) resident.free()
  }
}

/** Each of `again` added to what was measured of it before. */
export function merged(before: readonly Measured[], again: readonly Measured[]): Measured[] {
  const isNew = ({ variant }: Measured) => before.every((one) => one.variant !== variant)
  const both = before.map((one): Measured => {
    const other = again.find(({ variant }) => variant === one.variant)
    if (!other || 'wrong' in one || 'wrong' in other) return one
    return {
      ...one,
      times: [...one.times, ...other.times],
      processorTimes: [...one.processorTimes, ...other.processorTimes],
      gpuTimes: [...one.gpuTimes, ...other.gpuTimes],
      steady: [...one.steady, ...other.steady],
      steadyProcessor: {
        compute: Math.min(one.steadyProcessor.compute, other.steadyProcessor.compute),
        memory: Math.min(one.steadyProcessor.memory, other.steadyProcessor.memory),
      },
    }
  })
  return [...both, ...again.filter(isNew)]
}

export function keyOf({ operation, name, dtype }: BenchShape, variant: string, { info }: Target): KernelKey {
  return { operation, name, dtype, variant, device: info.device }
}

/** Against the roofs as they are known now. */
export function entryOf(measured: Measured, target: Target): KernelEntry {
  const { operation, name, dtype, variant, device } = measured
  const key: KernelKey = { operation, name, dtype, variant, device }
  if ('wrong' in measured) return { ...key, verdict: { wrong: measured.wrong } }
  const { work, steps, times, processorTimes, gpuTimes, steady, steadyProcessor } = measured
  const ms = spread(times)
  const gpuMs = gpuTimes.length > 0 ? spread(gpuTimes) : undefined
  const time = gpuMs && gpuMs.median > 0 ? gpuMs.median : ms.median
  const limit = limitOf(work, target.ceilings({ operation, dtype }, variant))
  return {
    ...{ ...key, verdict: 'ok', ...work },
    ...(steps !== undefined && { steps }),
    ...{ samples: times.length, ms },
    ...(gpuMs && { gpuMs }),
    ...(processorTimes.length > 0 && device !== 'webgpu' && { processorMs: spread(processorTimes) }),
    steadyMs: spread(steady).median,
    ...(Number.isFinite(steadyProcessor[limit.bound]) && { steadyProcessorMs: steadyProcessor[limit.bound] }),
    gflopsPerSecond: work.flops / time / 1e6,
    gbPerSecond: work.bytes / time / 1e6,
    bound: limit.bound,
    roof: limit.roof,
    ofRoof: limit.ms / time,
  }
}

/** Of this process so far, in ms: what other processes do in the meantime does not count. */
function processorTime(): number | undefined {
  const { process } = globalThis as { process?: { cpuUsage?(): { user: number; system: number } } }
  const usage = process?.cpuUsage?.()
  return usage && (usage.user + usage.system) / 1000
}

async function runCalls(
  device: Device,
  resident: ResidentCase,
  count: number,
  onCommand: ((ms: number) => void) | undefined,
  signal: AbortSignal | undefined,
): Promise<void> {
  const scope = device.scope()
  try {
    resident.record(scope, count)
    await device.run(scope, { signal, ...(onCommand && { onCommand: (_, ms) => onCommand(ms) }) })
  } finally {
    scope.end()
  }
}

/** By timestamps of the device, each command a submission of its own: ms per call of some passes. */
async function onTheDevice(device: Device, resident: ResidentCase, calls: number, signal?: AbortSignal) {
  const count = Math.min(calls, 32)
  const times: number[] = []
  for (let pass = 0; pass < 3; pass++) {
    let sum = 0
    await runCalls(device, resident, count, (ms) => (sum += ms), signal)
    times.push(sum / count)
  }
  return times
}
