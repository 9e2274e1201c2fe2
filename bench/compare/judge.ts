import { median } from '../statistics.ts'
import type { Comparable, Entry } from './entries.ts'

/** What became of an entry. */
export type Change =
  | { readonly kind: 'slower' | 'faster'; readonly key: string; readonly old: number; readonly now: number }
  | {
      readonly kind: 'more' | 'less'
      readonly key: string
      readonly what: string
      readonly old: number
      readonly now: number
    }
  | { readonly kind: 'vanished' | 'new' | 'failed' | 'mended'; readonly key: string; readonly why: string }

export interface Judgement {
  readonly changes: readonly Change[]
  /** Entries with a time on both sides. */
  readonly compared: number
  /** Of their ratios, new over old, the median: what happened to all of them together. */
  readonly common: number
  /** How far a ratio has to be from 1 to count, as a share. */
  readonly threshold: number
  /** Whether times were judged at all. */
  readonly judged: boolean
}

/** Less is never told from noise. */
const leastThreshold = 0.05
/** Of the deviation of the ratios: of a thousand entries that did not change about one is further off. */
const deviations = 3.3
/** Beyond this nothing of use can be told from times. */
const hopeless = 3
/** Fewer ratios say little about the noise. */
const enough = 8

const worse: readonly Change['kind'][] = ['slower', 'more', 'vanished', 'failed']
export const isWorse = ({ kind }: Change) => worse.includes(kind)

/**
 * An entry is slower or faster if all of this holds, r being the least new time / the least old one, since what disturbs only adds:
 * 1. r is further from 1 than the threshold, the largest of: 5 %; 3.3 standard deviations of all r, where there are 8 or more (by
 *    the median absolute deviation of log r, which a few real changes hardly move); what the steady work beside the kernels took
 *    longer than at its fastest, in nine of ten places of either report;
 * 2. so is r divided by the median of all r: a machine that is busier than last time slows all down;
 * 3. so is r divided by the same ratio of the pace, where the entries have one;
 * 4. no sample of one is within the range of the other's.
 * All together are slower if the median of all r, and that divided by the median of the ratios of the pace, are beyond 1 by twice
 * the threshold. Where the threshold would be above 300 %, no time is judged. What is exact is compared in any case.
 */
export function judge(old: Comparable, now: Comparable): Judgement {
  const before = new Map(old.entries.map((entry) => [entry.key, entry]))
  const after = new Map(now.entries.map((entry) => [entry.key, entry]))
  const sameSelection = JSON.stringify(old.selection) === JSON.stringify(now.selection)
  const pairs = old.entries.flatMap((entry) => {
    const match = after.get(entry.key)
    return match ? [{ key: entry.key, old: entry, now: match }] : []
  })
  const timed = pairs.flatMap(({ key, old, now }) => (old.ms && now.ms ? [timesOf(key, old, now)] : []))
  const logs = timed.map(({ ratio }) => Math.log(ratio))
  const common = logs.length > 0 ? median(logs) : 0
  const deviation = logs.length >= enough ? 1.4826 * median(logs.map((log) => Math.abs(log - common))) : 0
  const disturbance = Math.max(old.disturbance ?? 0, now.disturbance ?? 0)
  const threshold = Math.max(leastThreshold, Math.exp(deviations * deviation) - 1, disturbance)
  const judged = threshold <= hopeless
  const beyond = (log: number, limit = threshold) => Math.abs(log) > Math.log1p(limit)
  const changes: Change[] = [
    ...(sameSelection ? old.entries.filter(({ key }) => !after.has(key)) : []).map(({ key }) =>
      change('vanished', key),
    ),
    ...(sameSelection ? now.entries.filter(({ key }) => !before.has(key)) : []).map(({ key }) => change('new', key)),
    ...pairs.flatMap(({ key, old, now }) => broken(key, old, now)),
    ...pairs.flatMap(({ key, old, now }) => exactly(key, old, now)),
  ]
  if (judged) {
    const paces = timed.flatMap(({ pace }) => (pace === undefined ? [] : Math.log(pace)))
    const own = common - (paces.length > 0 ? median(paces) : 0)
    const together = timed.length >= enough && beyond(common, 2 * threshold) && beyond(own, 2 * threshold)
    if (together && common > 0 === own > 0) {
      changes.push({ kind: common > 0 ? 'slower' : 'faster', key: 'all together', old: 1, now: Math.exp(common) })
    }
    const shift = timed.length >= enough ? common : 0
    for (const { key, ratio, pace, apart, old, now } of timed) {
      const log = Math.log(ratio)
      const views = [log, log - shift, ...(pace === undefined ? [] : [log - Math.log(pace)])]
      const agree = views.every((view) => beyond(view) && view > 0 === log > 0)
      if (agree && apart) changes.push({ kind: log > 0 ? 'slower' : 'faster', key, old, now })
    }
  }
  return { changes, compared: timed.length, common: Math.exp(common), threshold, judged }
}

function timesOf(key: string, old: Entry, now: Entry) {
  const a = old.ms!
  const b = now.ms!
  return {
    key,
    ratio: b.least / a.least,
    pace: old.pace !== undefined && now.pace !== undefined ? now.pace / old.pace : undefined,
    apart: b.least > a.most || b.most < a.least,
    old: a.least,
    now: b.least,
  }
}

function broken(key: string, old: Entry, now: Entry): Change[] {
  if (now.failure !== undefined && old.failure === undefined) return [change('failed', key, now.failure)]
  if (now.failure === undefined && old.failure !== undefined) return [change('mended', key, old.failure)]
  return []
}

function exactly(key: string, old: Entry, now: Entry): Change[] {
  return Object.entries(old.exact).flatMap(([what, before]): Change[] => {
    const after = now.exact[what]
    if (after === undefined || after === before) return []
    return [{ kind: after > before ? 'more' : 'less', key, what, old: before, now: after }]
  })
}

function change(kind: 'vanished' | 'new' | 'failed' | 'mended', key: string, why = ''): Change {
  return { kind, key, why }
}
