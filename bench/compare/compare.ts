import { BareclipError } from '../../runtime/errors.ts'
import { digits } from '../table.ts'
import type { Comparable } from './entries.ts'
import { type Change, isWorse, type Judgement } from './judge.ts'

/** Throws INVALID_ARGUMENT where the two cannot be compared. */
export function requireComparable(old: Comparable, now: Comparable): void {
  const fail = (what: string, a: unknown, b: unknown) => {
    throw new BareclipError('INVALID_ARGUMENT', `cannot compare: ${what} ${text(a)} and ${text(b)}; measure both alike`)
  }
  if (old.schema !== now.schema) fail('the reports are', old.schema, now.schema)
  for (const part of ['processor', 'platform', 'cores'] as const) {
    if (old.machine[part] !== now.machine[part])
      fail(`they are of different machines, ${part}`, old.machine[part], now.machine[part])
  }
  for (const [name, value] of Object.entries(old.conditions)) {
    if (!(name in now.conditions)) continue // what is missing is reported entry by entry
    const other = now.conditions[name]
    if (JSON.stringify(value) !== JSON.stringify(other)) fail(`other conditions, ${name}`, value, other)
  }
}

const text = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value))

/** On an idle machine less can be told. */
const noisy = 0.25

/** What moved, the worse first. */
export function judgementText(old: Comparable, now: Comparable, judgement: Judgement): string {
  const { changes, compared, common, threshold, judged } = judgement
  const title = ({ machine: { versions, commit, runtime }, date }: Comparable) =>
    [versions && `bareclip ${versions.bareclip}`, commit, runtime, date].filter(Boolean).join(', ')
  const lines = [`old: ${title(old)}`, `new: ${title(now)}`]
  if (compared > 0) {
    const noise = judged
      ? `${threshold > noisy ? 'noisy: ' : ''}a change has to be beyond ${percent(threshold)} to be told from noise`
      : `too noisy to judge: even ${percent(threshold)} would say nothing; what is exact was compared`
    lines.push(`${compared} times, together ${common.toFixed(2)} times the old ones; ${noise}`)
  } else lines.push('no times to compare')
  const ordered = [...changes].sort((a, b) => Number(isWorse(b)) - Number(isWorse(a)))
  lines.push(...ordered.map(lineOf))
  if (ordered.length === 0) lines.push('nothing moved')
  return `${lines.join('\n')}\n`
}

function lineOf(change: Change): string {
  const { kind, key } = change
  if ('why' in change) {
    if (kind === 'vanished') return `vanished: ${key}`
    if (kind === 'new') return `new: ${key}`
    return kind === 'failed' ? `fails now: ${key}: ${change.why}` : `works now: ${key}`
  }
  if ('what' in change) return `${kind}: ${key}: ${change.now} ${change.what}, ${change.old} before`
  const share = percent(Math.abs(change.now / change.old - 1))
  const times = key === 'all together' ? '' : `: ${digits(change.now)} ms, ${digits(change.old)} ms before`
  return `${kind} by ${share}: ${key}${times}`
}

const percent = (share: number) => `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`
