import { byReason } from '../../precision/missing.ts'
import { commandOf } from '../commands.ts'
import { html, raw } from '../html.ts'
import { headFacts, modelName, namesOf } from '../names.ts'
import type { From } from '../read.ts'
import type { PrecisionReport } from '../schemas/precision.ts'
import type { Section } from '../section.ts'
import { type Cell, table } from '../table.ts'

const share = (value: number) => `${(value * 100).toFixed(1)} %`

/** As many nines as there are. */
const cosineText = (cosine: number) => (cosine > 0.9999995 ? cosine.toFixed(9) : cosine.toFixed(6))

export function precisionSection(files: readonly From<PrecisionReport>[]): Section | undefined {
  if (files.length === 0) return undefined
  const names = namesOf(files.map(({ file, report }) => ({ file, facts: headFacts(report) })))
  const head = [
    'device',
    'dtype',
    'weights, tower',
    '#largest difference',
    '#lowest cosine',
    '#best hit the same',
    '#ten best the same',
    '#items',
  ]
  const tables = files.map(({ report }, i) => {
    const rows = report.rows.map((row): Cell[] => [
      ...[row.device, row.dtype, `${modelName(row.weights)}, ${row.tower}`, row.largest.toExponential(1)],
      cosineText(row.cosine),
      ...[row.top1, row.top10].map((value) => (value < 1 ? html`<b>${share(value)}</b>` : share(value))),
      row.items,
    ])
    const missing = byReason(report.missing ?? []).map(
      ({ device, dtypes, reason }) => html`<li><b>${device} ${dtypes.join(', ')}</b>: ${reason}</li>`,
    )
    return html`${table(`Against float64${names[i] && `: ${names[i]}`}`, head, rows)}<ul class="notes">${missing}</ul><p class="note">${raw(
      'Largest difference: of any component of an embedding of length 1. Best hit, ten best: how often a ranking by cosine begins with the same items as in float64. Repeat: ',
    )}<code>${commandOf('precision', report)}</code></p>
`
  })
  return { id: 'precision', title: 'Precision', parts: tables }
}
