import { drawBars } from '../charts/bars.ts'
import { commandOf } from '../commands.ts'
import type { Chart } from '../draw.ts'
import { milliseconds, plural, ratio, ratioSpread, slug } from '../format.ts'
import { headFacts, namesOf, sourceOf } from '../names.ts'
import type { From } from '../read.ts'
import type { ScalingReport } from '../schemas/comparison.ts'
import type { Section } from '../section.ts'
import { type Cell, table } from '../table.ts'

/** How many times as fast several threads are as one. */
export function scalingSection(files: readonly From<ScalingReport>[]): Section | undefined {
  const names = namesOf(files.map(({ file, report }) => ({ file, facts: headFacts(report) })))
  const most = files
    .flatMap(({ report }) => [report.threads, ...report.cases.map((one) => one.ratio?.most ?? 0)])
    .reduce((a, b) => Math.max(a, b), 1)
  const charts = files.flatMap(({ report }, i): Chart[] => {
    const rated = report.cases.flatMap(({ name, ratio: of }) => (of ? [{ name, of }] : []))
    if (rated.length === 0) return []
    const suffix = names[i] && ` · ${names[i]}`
    return [
      {
        id: slug(`threads${suffix}`),
        title: `${plural(report.threads, 'thread')} against one${suffix}`,
        reading: `How many times as fast as one thread; the line at ${report.threads}× is where every thread would bring its full share; whiskers are the spread over rounds in turn.`,
        commands: [commandOf('scaling', report)],
        source: sourceOf(report),
        draw: (canvas) =>
          drawBars(
            {
              blocks: [
                {
                  rows: rated.map(({ name, of }) => ({
                    label: name,
                    segments: [{ from: 0, to: of.median, tone: of.median >= 1 ? 0 : 1 }],
                    whisker: of,
                    value: ratioSpread(of),
                    shortValue: ratio(of.median),
                  })),
                },
              ],
              scale: { type: 'linear', most },
              unit: 'times as fast →',
              lines: [
                { at: 1, label: 'equal' },
                ...(report.threads > 1 ? [{ at: report.threads, label: 'ideal' }] : []),
              ],
              format: (value) => `${value}×`,
            },
            canvas,
          ),
      },
    ]
  })
  if (files.length === 0) return undefined
  const tables = files.map(({ report }, i) => {
    const rows = report.cases.map(({ name, results, ratio: of }): Cell[] => [
      name,
      results
        .map((one) => `${one.name}: ${one.ms ? milliseconds(one.ms.median) : (one.failure ?? 'no result')}`)
        .join(', '),
      of ? ratioSpread(of) : 'not rated: too short, or no result',
    ])
    return table(`Threads${names[i] && `: ${names[i]}`}`, ['case', 'median', '#times as fast'], rows)
  })
  return { id: 'scaling', title: 'Over threads', parts: [{ charts }, ...tables] }
}
