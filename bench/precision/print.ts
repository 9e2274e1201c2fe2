import { byReason } from './missing.ts'
import type { PrecisionReport } from './precision.ts'

/** A Markdown table, so that it can be quoted as it is. */
export function precisionText({ rows, missing }: PrecisionReport): string {
  const head = ['weights', 'tower', 'device', 'dtype', 'items', 'largest', 'cosine', 'top 1', 'top 10']
  const body = rows.map(({ weights, tower, device, dtype, items, largest, cosine, top1, top10 }) => [
    ...[weights, tower, device, dtype, `${items}`, largest.toExponential(1), cosine.toFixed(7)],
    ...[top1, top10].map((share) => `${(100 * share).toFixed(1)} %`),
  ])
  const widths = head.map((_, column) => Math.max(...[head, ...body].map((cells) => cells[column]!.length)))
  const line = (cells: readonly string[]) => `| ${cells.map((cell, i) => cell.padEnd(widths[i]!)).join(' | ')} |\n`
  const rule = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|\n`
  const notes = byReason(missing).map(
    ({ device, dtypes, reason }) => `${device} (${dtypes.join(', ')}) is missing: ${reason}\n`,
  )
  return [line(head), rule, ...body.map(line), ...notes].join('')
}
