import type { Device } from '../../runtime/device.ts'
import { median, spread } from '../statistics.ts'
import type { KernelEntry, KernelKey } from './report.ts'
import { makeResident, type ResidentCase } from './resident.ts'
import { limitOf, type Work } from './roofline.ts'
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
        readonly gpuTimes: readonly number[]
        /** ms of the steady work beside it. */
        readonly steady: number
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
    for (const { device, choose } of variants) {
      const call = async (count: number) => {
        choose()
        await runCalls(device, residents.get(device)!, count, undefined, signal)
      }
      const { passMs, ...contender } = await calibrated(call, options.warmShare)
      const fits = Math.floor((1000 * mostSeconds) / passMs)
      contenders.push({ ...contender, rounds: Math.max(1, Math.min(rounds, fits)) })
    }
    const steady: number[] = []
    const beside: Contender = {
      ...{ calls: 1, rounds, seconds: 0 },
      run: async () => void steady.push(await target.steady()),
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
        gpuTimes: target.timestamps ? await onTheDevice(device, resident, contenders[i]!.calls, signal) : [],
        steady: median(steady.sort((a, b) => a - b)),
      })
    }
    return measured
  } finally {
    for (const resident of residents.values()) resident.free()
  }
}

export function keyOf({ operation, name, dtype }: BenchShape, variant: string, { info }: Target): KernelKey {
  return { operation, name, dtype, variant, device: info.device }
}

/** Against the roofs as they are known now. fastestSteady: ms */
export function entryOf(measured: Measured, target: Target, fastestSteady: number): KernelEntry {
  const { operation, name, dtype, variant, device } = measured
  const key: KernelKey = { operation, name, dtype, variant, device }
  if ('wrong' in measured) return { ...key, verdict: { wrong: measured.wrong } }
  const { work, steps, times, gpuTimes, steady } = measured
  const ms = spread(times)
  const gpuMs = gpuTimes.length > 0 ? spread(gpuTimes) : undefined
  const time = gpuMs && gpuMs.median > 0 ? gpuMs.median : ms.median
  const limit = limitOf(work, target.ceilings({ operation, dtype }, variant))
  return {
    ...{ ...key, verdict: 'ok', ...work },
    ...(steps !== undefined && { steps }),
    ...{ samples: times.length, ms },
    ...(gpuMs && { gpuMs }),
    pace: steady / fastestSteady,
    gflopsPerSecond: work.flops / time / 1e6,
    gbPerSecond: work.bytes / time / 1e6,
    bound: limit.bound,
    roof: limit.roof,
    ofRoof: limit.ms / time,
  }
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
  for (let pass = 0; pass < 5; pass++) {
    let sum = 0
    await runCalls(device, resident, count, (ms) => (sum += ms), signal)
    times.push(sum / count)
  }
  return times
}
