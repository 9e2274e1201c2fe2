import { BareclipError } from '../../runtime/errors.ts'
import { isTimed, type KernelEntry, type KernelReport } from '../kernels/report.ts'
import type { Machine } from '../machine.ts'
import type { ModelBenchReport } from '../model/model.ts'
import { geometricMean, type Spread } from '../statistics.ts'

/** What two reports are compared by. */
export interface Entry {
  /** Unique within a report. */
  readonly key: string
  /** In ms; undefined for what failed, is wrong or was not timed. */
  readonly ms?: Spread | undefined
  /** Time of something that does not change, measured in turn with it: what a busy machine does to both cancels. */
  readonly pace?: number | undefined
  /** The same on every run of the same build: operations, bytes, steps. */
  readonly exact: Readonly<Record<string, number>>
  /** Why there is no time. */
  readonly failure?: string | undefined
}

/** A report as far as it is compared. */
export interface Comparable {
  readonly schema: string
  readonly machine: Machine
  readonly date?: string | undefined
  /** Where they differ, times cannot be compared. */
  readonly conditions: Readonly<Record<string, unknown>>
  /** Where they differ, something that is missing was not asked for. */
  readonly selection: unknown
  /** How much longer the same steady work took than at its fastest, as a share, in nine of ten places. */
  readonly disturbance?: number | undefined
  readonly entries: readonly Entry[]
}

const readers: Readonly<Record<string, (report: never) => Omit<Comparable, 'schema' | 'machine' | 'date'>>> = {
  'bareclip-bench-kernels-1': ofKernels,
  'bareclip-bench-model-1': ofModel,
  'bareclip-bench-peers-1': ofPeers,
  'bareclip-bench-scaling-1': ofScaling,
  'bareclip-bench-load-1': ofLoad,
}

/** file: for messages. Throws INVALID_ARGUMENT for what is no report of a known schema. */
export function readReport(text: string, file: string): Comparable {
  const fail = (problem: string, cause?: unknown): never => {
    throw new BareclipError('INVALID_ARGUMENT', `${file}: ${problem}`, { cause })
  }
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (cause) {
    fail('expected a report as `bareclip bench … --json` writes it, found no JSON', cause)
  }
  const { schema, machine, date } = (json ?? {}) as { schema?: unknown; machine?: Machine; date?: string }
  const reader = typeof schema === 'string' ? readers[schema] : undefined
  if (!reader) {
    const known = Object.keys(readers).join(', ')
    return fail(`expected a schema of ${known}; found ${JSON.stringify(schema) ?? 'none'}`)
  }
  try {
    const { processor, platform, cores, runtime } = machine!
    const comparable = { schema: schema as string, machine: machine!, date, ...reader(json as never) }
    for (const part of [processor, platform, runtime])
      if (typeof part !== 'string') fail('its machine is not described')
    if (typeof cores !== 'number') fail('its machine is not described')
    return comparable
  } catch (cause) {
    if (cause instanceof BareclipError) throw cause
    return fail(`it lacks what a report of ${schema} has`, cause)
  }
}

function ofKernels({ kernels, devices, settings }: KernelReport) {
  const { threads: _, ...selection } = settings
  return {
    conditions: Object.fromEntries(
      devices.map(({ device, threads, adapter }) => [device, { threads, adapter: adapter?.description }]),
    ),
    selection,
    disturbance: disturbanceOf(kernels),
    entries: kernels.map((entry): Entry => {
      const key = keyOf(entry)
      if (entry.verdict !== 'ok') return { key, exact: {}, failure: `wrong: ${entry.verdict.wrong}` }
      const { ms, gpuMs, processorMs, steadyMs, steadyProcessorMs, flops, bytes, steps } = entry
      const own = gpuMs ?? processorMs // other processes do not count in it
      const pace = gpuMs ? undefined : processorMs ? steadyProcessorMs : steadyMs
      return {
        key,
        ms: own ?? ms,
        pace,
        exact: { flops, bytes, ...(steps !== undefined && { steps }) },
      }
    }),
  }
}

/** Of the device on which it is largest. */
function disturbanceOf(kernels: readonly KernelEntry[]): number {
  const timed = kernels.filter(isTimed)
  const devices = new Set(timed.map(({ device }) => device))
  const shares = [...devices].map((name) => {
    const times = timed.flatMap(({ device, steadyMs }) => (device === name ? steadyMs : [])).sort((a, b) => a - b)
    return times[Math.floor(0.9 * (times.length - 1))]! / times[0]! - 1
  })
  return Math.max(0, ...shares)
}

const keyOf = ({ device, operation, name, dtype, variant }: KernelEntry) =>
  `${operation} ${name}, ${dtype}, ${variant === device ? device : `${variant} on ${device}`}`

function ofModel({ model, device, cases, memory }: ModelBenchReport) {
  return {
    conditions: { model, device: device.device, threads: device.threads, adapter: device.adapter?.description },
    selection: cases.map(({ name }) => name),
    entries: [
      ...cases.flatMap(({ name, ms, msWhole, flops, memory, profile }): Entry[] => [
        {
          key: name,
          ms,
          exact: {
            flops,
            'bytes of scratch memory': memory.scratch,
            ...(profile && {
              commands: profile.operations.reduce((sum, { calls }) => sum + calls, 0),
              'bytes moved': profile.operations.reduce((sum, { bytes }) => sum + bytes, 0),
            }),
          },
        },
        ...(msWhole ? [{ key: `${name}, nothing left out`, ms: msWhole, exact: {} }] : []),
      ]),
      { key: 'memory', exact: { 'bytes of weights': memory.weights, 'bytes at most': memory.peak } },
    ],
  }
}

interface Contenders {
  readonly settings: unknown
  readonly cases: readonly {
    readonly name: string
    readonly flops: number
    readonly results: readonly { readonly name: string; readonly ms?: Spread; readonly failure?: string }[]
  }[]
}

/** Ours alone: the peers beside them are the pace. */
function ofPeers({ cases, settings }: Contenders) {
  const isOurs = (name: string) => name.startsWith('ours')
  return {
    conditions: { settings },
    selection: cases.map(({ name, results }) => [name, results.map((result) => result.name)]),
    entries: cases.flatMap(({ name, flops, results }) => {
      const peers = results.flatMap((result) => (isOurs(result.name) ? [] : (result.ms?.median ?? [])))
      const pace = peers.length > 0 ? geometricMean(peers) : undefined
      return results
        .filter((result) => isOurs(result.name))
        .map(
          (result): Entry => ({
            key: `${name}, ${result.name}`,
            ms: result.ms,
            pace,
            exact: { flops },
            failure: result.failure,
          }),
        )
    }),
  }
}

function ofScaling({ cases, settings }: Contenders) {
  return {
    conditions: { settings },
    selection: cases.map(({ name }) => name),
    entries: cases.flatMap(({ name, flops, results }) =>
      results.map(
        (result): Entry => ({
          key: `${name}, ${result.name}`,
          ms: result.ms,
          exact: { flops },
          failure: result.failure,
        }),
      ),
    ),
  }
}

function ofLoad({ ms, settings }: { readonly ms: Spread; readonly settings: unknown }) {
  return { conditions: { settings }, selection: [], entries: [{ key: 'load to the first embedding', ms, exact: {} }] }
}
