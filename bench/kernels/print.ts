import { softwareLine } from '../software.ts'
import { digits, table } from '../table.ts'
import { isTimed, type KernelEntry, type Roof, type TimedKernel } from './report.ts'
import type { Target } from './targets/target.ts'

/** The device and its roofs. */
export function targetText({ info, roofs }: Target): string {
  const { device, threads, reason, variants, adapter } = info
  const what = [
    `${threads} thread${threads === 1 ? '' : 's'}`,
    ...Object.entries(variants).map(([name, value]) => `${name} ${value}`),
    ...(adapter ? [adapter.description] : []),
    reason,
  ]
  const rows = roofs.map(
    ({ name, rate, unit, how }) => `  ${name.padEnd(24)}${digits(rate).padStart(7)} ${unit}  ${how}\n`,
  )
  return `${device}: ${what.join(', ')}\n${softwareLine(info)}roofs, measured here:\n${rows.join('')}`
}

/** before: rates by name, which shares that were printed until now are of */
export function risenText(roofs: readonly Roof[], before: ReadonlyMap<string, number>): string {
  const rows = roofs.map(
    ({ name, rate, unit }) =>
      `  ${name.padEnd(24)}${digits(rate).padStart(7)} ${unit}, not ${digits(before.get(name) ?? 0)}\n`,
  )
  return `roofs found higher at a later look; shares of them that stand above are too high:\n${rows.join('')}`
}

/** On an idle machine times differ by less. */
const busyFrom = 1.25

/** One operation. */
export function entriesText(entries: readonly KernelEntry[]): string {
  const [first] = entries
  if (!first) return ''
  const timed = entries.filter(isTimed)
  const onDevice = timed.some(({ gpuMs }) => gpuMs !== undefined)
  const head = [
    `\n${first.operation} on ${first.device}`,
    '',
    '',
    'ms',
    'least',
    'most',
    ...(onDevice ? ['on device'] : []),
  ]
  const rows = timed.map((entry) => [...rowOf(entry, onDevice), `of ${entry.roof}`])
  const steady = timed.map(({ steadyMs }) => steadyMs)
  const busy = Math.max(...steady) / Math.min(...steady)
  const hint =
    busy > busyFrom
      ? `  the machine was busy with other things: the same steady work took up to ${digits(busy)} times as long\n`
      : ''
  const wrong = entries.filter((entry) => !isTimed(entry)).map((entry) => wrongText(entry))
  return table([[...head, 'GFLOP/s', 'GB/s', 'roof', ''], ...rows]) + wrong.join('') + hint
}

function rowOf(entry: TimedKernel, onDevice: boolean): string[] {
  const { name, dtype, variant, ms, gpuMs, gflopsPerSecond, gbPerSecond, ofRoof } = entry
  const times = [ms.median, ms.least, ms.most, ...(onDevice ? [gpuMs?.median ?? Number.NaN] : [])].map(milliseconds)
  return [
    `  ${name}`,
    dtype,
    variant,
    ...times,
    digits(gflopsPerSecond),
    digits(gbPerSecond),
    `${(100 * ofRoof).toFixed(0)} %`,
  ]
}

const milliseconds = (value: number) => (value < 0.1 ? value.toFixed(4) : digits(value))

/** The cases that a variant gets wrong are the same for all its shapes. */
function wrongText({ name, dtype, variant, verdict }: KernelEntry): string {
  return verdict === 'ok' ? '' : `  ${name}  ${dtype}  ${variant}  wrong: ${verdict.wrong}; not timed\n`
}
