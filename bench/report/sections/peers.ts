import { softwareNote } from '../../software.ts'
import { geometricMean, ratioOf, spread } from '../../statistics.ts'
import { commandOf } from '../commands.ts'
import type { Chart } from '../draw.ts'
import { figure, milliseconds, ratio, slug } from '../format.ts'
import { html, type Markup } from '../html.ts'
import { headFacts, namesOf, sourceOf } from '../names.ts'
import { drawRatios, type RatioBlock, ratioDomain } from '../ratios.ts'
import type { From } from '../read.ts'
import type { PeersReport } from '../schemas/comparison.ts'
import type { Part, Section } from '../section.ts'
import { type Cell, table } from '../table.ts'

interface Panel extends From<PeersReport> {
  readonly name: string
}

const isOurs = (name: string) => name.startsWith('ours')
const shown = (name: string) => name.replace(/^ours-?/, 'bareclip ').trim()

/** For each of our dtypes one chart per file: how many times as fast as each peer, case by case. */
export function peersSection(files: readonly From<PeersReport>[]): Section | undefined {
  if (files.length === 0) return undefined
  const names = namesOf(files.map(({ file, report }) => ({ file, facts: headFacts(report) })))
  const panels = files.map((from, i): Panel => ({ ...from, name: names[i]! }))
  const ours = [...new Set(files.flatMap(({ report }) => contendersOf(report).filter(isOurs)))]
  const parts: Part[] = [softwareAlarm(panels), summary(panels)]
  for (const one of ours) {
    const charts = panels.flatMap((panel): Chart[] => {
      const blocks = blocksOf(panel.report, one)
      if (blocks.length === 0) return []
      const suffix = panel.name && ` · ${panel.name}`
      return [
        {
          id: slug(`peers-${one}${suffix}`),
          title: `${shown(one)} against its peers${suffix}`,
          reading:
            'How many times as fast: a bar to the right of 1 is a case that bareclip wins, to the left one that it loses; the whisker is the spread over rounds, in each of which all were asked in turn.',
          commands: [commandOf('peers', panel.report)],
          source: sourceOf(panel.report),
          draw: (canvas) =>
            drawRatios(blocks, ratioDomain(panels.flatMap(({ report }) => blocksOf(report, one))), canvas),
        },
      ]
    })
    if (charts.length > 0) parts.push({ charts })
  }
  return { id: 'peers', title: 'Beside its peers', parts: [...parts, ...panels.map(timesTable)] }
}

function softwareAlarm(panels: readonly Panel[]): Markup {
  const there = panels.flatMap(({ report }) => report.contenders.filter(([, what]) => what.includes(softwareNote)))
  const names = [...new Set(there.map(([name]) => shown(name)))].join(', ')
  return html`${names !== '' && html`<p class="alarm"><strong>${softwareNote}</strong>: ${names}</p>`}`
}

const contendersOf = ({ cases }: PeersReport) => [
  ...new Set(cases.flatMap(({ results }) => results.map(({ name }) => name))),
]

function blocksOf(report: PeersReport, ours: string): RatioBlock[] {
  return contendersOf(report)
    .filter((peer) => !isOurs(peer))
    .flatMap((peer) => {
      const rows = report.cases.flatMap(({ name, results }) => {
        const [a, b] = [ours, peer].map((wanted) => results.find((result) => result.name === wanted))
        const ratio = a && b && ratioOf(a, b)
        return ratio
          ? [
              {
                label: name,
                ratio,
                title: `${name}: ${milliseconds(spread(a.times).median)} against ${milliseconds(spread(b.times).median)}`,
              },
            ]
          : []
      })
      return rows.length > 0 ? [{ title: peer, rows }] : []
    })
}

function summary(panels: readonly Panel[]): Markup {
  const rows = panels.flatMap(({ name, report }) =>
    contendersOf(report)
      .filter(isOurs)
      .flatMap((ours) =>
        blocksOf(report, ours).map(({ title, rows }): Cell[] => {
          const worst = rows.reduce((least, one) => (one.ratio.median < least.ratio.median ? one : least))
          const mean = geometricMean(rows.map((row) => row.ratio.median))
          const file = panels.length > 1 ? [name] : []
          return [
            ...file,
            shown(ours),
            title,
            html`<b>${ratio(mean)}</b>`,
            ratio(worst.ratio.median),
            worst.label,
            rows.length,
          ]
        }),
      ),
  )
  const head = ['how many times as fast is', 'against', '#geometric mean', '#worst case', 'which', '#cases']
  return table('Over all cases', [...(panels.length > 1 ? ['run'] : []), ...head], rows)
}

function timesTable({ name, report }: Panel): Markup {
  const contenders = contendersOf(report)
  const rows = report.cases.map(({ name: item, results }): Cell[] => [
    item,
    ...contenders.map((contender): Cell => {
      const result = results.find((one) => one.name === contender)
      if (!result) return '—'
      if (!result.ms) return html`<span class="failed">${result.failure ?? 'no result'}</span>`
      const { median, least, most } = result.ms
      const cosine =
        result.cosine === undefined || result.cosine >= 0.9999
          ? ''
          : html`<br><small${result.cosine < 0.98 && html` class="failed"`}>cosine ${result.cosine.toFixed(4)}</small>`
      return html`${figure(median)}<br><small>${figure(least)} … ${figure(most)}</small>${cosine}`
    }),
  ])
  const who = report.contenders.map(([contender, what]) => html`<li><b>${shown(contender)}</b>: ${what}</li>`)
  return html`${table(`Milliseconds of a call, median, least and most${name && `: ${name}`}`, ['case', ...contenders.map((one) => `#${shown(one)}`)], rows)}<ul class="notes">${who}</ul>
`
}
