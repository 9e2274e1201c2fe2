import { commandOf } from '../commands.ts'
import type { Chart } from '../draw.ts'
import { figure, milliseconds, ratioSpread, slug } from '../format.ts'
import { html } from '../html.ts'
import { headFacts, namesOf, sourceOf } from '../names.ts'
import { drawRatios, type RatioBlock, ratioDomain } from '../ratios.ts'
import type { From } from '../read.ts'
import type { PartsReport } from '../schemas/parts.ts'
import type { Section } from '../section.ts'
import { type Cell, table } from '../table.ts'

/** Single parts beside programs that do only that: a block per part. */
export function partsSection(files: readonly From<PartsReport>[]): Section | undefined {
  if (files.length === 0) return undefined
  const names = namesOf(files.map(({ file, report }) => ({ file, facts: headFacts(report) })))
  const domain = ratioDomain(files.flatMap(({ report }) => blocksOf(report)))
  const charts = files.flatMap(({ report }, i): Chart[] => {
    const blocks = blocksOf(report)
    const suffix = names[i] && ` · ${names[i]}`
    if (blocks.length === 0) return []
    return [
      {
        id: slug(`parts${suffix}`),
        title: `Single parts against packages that do only that${suffix}`,
        reading:
          'How many times as fast bareclip is at the same work: to the right of 1 it wins, to the left it loses; whiskers are the spread over rounds in turn.',
        commands: [commandOf('parts', report)],
        source: sourceOf(report),
        draw: (canvas) => drawRatios(blocks, domain, canvas),
      },
    ]
  })
  const tables = files.map(({ report }, i) => {
    const rows = report.parts.flatMap(({ part, name, contenders }) =>
      contenders.map((one): Cell[] => [
        ...[part, name, one.name],
        one.failure === undefined
          ? one.ms
            ? milliseconds(one.ms.median)
            : '—'
          : html`<span class="failed">${one.failure}</span>`,
        one.ms ? `${figure(one.ms.least)} … ${figure(one.ms.most)}` : '',
        one.rate === undefined ? '' : `${figure(one.rate)} ${one.unit ?? ''}`,
        one.ratio ? ratioSpread(one.ratio) : '',
      ]),
    )
    const head = ['part', 'input', 'contender', '#median', '#least … most', '#rate', '#bareclip is']
    const who = (report.contenders ?? []).map(([name, what]) => html`<li><b>${name}</b>: ${what}</li>`)
    return html`${table(`Parts${names[i] && `: ${names[i]}`}`, head, rows)}<ul class="notes">${who}</ul>
`
  })
  return { id: 'single-parts', title: 'Parts beside their peers', parts: [{ charts }, ...tables] }
}

function blocksOf({ parts }: PartsReport): RatioBlock[] {
  const blocks = new Map<string, RatioBlock['rows'][number][]>()
  for (const { part, name, contenders } of parts) {
    for (const { name: peer, ratio, ms } of contenders) {
      if (!ratio) continue
      const rows = blocks.get(part) ?? []
      rows.push({ label: `${peer}, ${name}`, ratio, ...(ms && { title: `${peer}: ${milliseconds(ms.median)}` }) })
      blocks.set(part, rows)
    }
  }
  return [...blocks].map(([title, rows]) => ({ title, rows }))
}
