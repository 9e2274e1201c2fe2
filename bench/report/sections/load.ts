import { median } from '../../statistics.ts'
import { type BarRow, drawBars } from '../charts/bars.ts'
import { commandOf } from '../commands.ts'
import type { Chart } from '../draw.ts'
import { figure, mebibytes, milliseconds, plural } from '../format.ts'
import { headFacts, namesOf, sourceOf } from '../names.ts'
import type { From } from '../read.ts'
import type { LoadReport } from '../schemas/load.ts'
import type { ModelReport } from '../schemas/model.ts'
import type { Part, Section } from '../section.ts'
import { type Cell, table } from '../table.ts'
import { modelRuns } from './model.ts'

type Stage = { readonly stage: string; readonly ms: number }

/** Stages of loading as one bar per run, and a table of what memory it takes. */
export function loadSection(
  loads: readonly From<LoadReport>[],
  models: readonly From<ModelReport>[],
): Section | undefined {
  const parts: Part[] = []
  const names = namesOf(loads.map(({ file, report }) => ({ file, facts: headFacts(report) })))
  if (loads.length > 0) {
    const runs = loads.map(({ report }, i) => ({
      name: names[i] || 'a new process',
      stages: stagesOf(report),
      ms: report.ms,
    }))
    const first = loads[0]!.report
    const title = 'From the start of loading to the first embedding'
    parts.push({
      charts: [
        stageChart(
          'load',
          title,
          runs,
          loads.map(({ report }) => commandOf('load', report)),
          sourceOf(first),
        ),
      ],
    })
    const rows = loads.map(({ report: { runs, peakRss } }, i): Cell[] => {
      const weights = runs[0]?.weights ?? 0
      const before = middle(runs.map((run) => run.before.rss))
      return [
        ...[
          names[i] || 'a new process',
          mebibytes(weights),
          mebibytes(peakRss.median),
          mebibytes(Math.max(0, peakRss.median - weights)),
        ],
        ...[mebibytes(before), plural(runs.length, 'process').replace('processs', 'processes')],
      ]
    })
    const head = ['run', '#weights', '#peak resident', '#above the weights', '#before loading', '#of']
    parts.push(table('Memory of a process up to its first embedding, medians', head, rows))
  }
  if (models.length > 0) {
    const runs = modelRuns(models).map(({ name, report: { load } }) => ({ name, stages: load.stages, ms: undefined }))
    const first = models[0]!.report
    parts.push({
      charts: [
        stageChart(
          'model-load',
          'Loading the measured model',
          runs,
          models.map(({ report }) => commandOf('model', report)),
          sourceOf(first),
        ),
      ],
    })
    const rows = modelRuns(models).map(({ name, report: { memory } }): Cell[] => [
      name,
      ...[memory.weights, memory.scratch, memory.peak, memory.rss, memory.peakRss].map(mebibytes),
    ])
    parts.push(
      table(
        'Memory after all cases',
        ['run', '#weights', '#scratch', '#both at most', '#process now', '#process at most'],
        rows,
      ),
    )
    const cold = modelRuns(models).flatMap(({ name, report: { coldStart } }): Cell[][] =>
      coldStart ? [[name, milliseconds(coldStart.first.median), range(coldStart.first), coldStart.runs]] : [],
    )
    if (cold.length > 0) {
      const head = ['run', '#median', '#least … most', '#processes']
      parts.push(table('Cold start: from starting bareclip embed to its first embedding', head, cold))
    }
  }
  return parts.length > 0 ? { id: 'loading', title: 'Load and memory', parts } : undefined
}

const range = ({ least, most }: { readonly least: number; readonly most: number }) =>
  `${figure(least)} … ${milliseconds(most)}`

const middle = (values: readonly number[]) => (values.length === 0 ? 0 : median(values))

function stagesOf({ runs }: LoadReport): Stage[] {
  const names = [...new Set(runs.flatMap(({ stages }) => stages.map(({ stage }) => stage)))]
  const of = (name: string) =>
    runs.flatMap(({ stages }) => stages.filter(({ stage }) => stage === name).map(({ ms }) => ms))
  return names.map((stage) => ({ stage, ms: middle(of(stage)) }))
}

interface Loading {
  readonly name: string
  readonly stages: readonly Stage[]
  readonly ms: { readonly least: number; readonly most: number } | undefined
}

function stageChart(
  id: string,
  title: string,
  runs: readonly Loading[],
  commands: readonly string[],
  source: string,
): Chart {
  const stages = [...new Set(runs.flatMap((run) => run.stages.map(({ stage }) => stage)))]
  const sum = (run: Loading) => run.stages.reduce((total, { ms }) => total + ms, 0)
  const rows = runs.map((run): BarRow => {
    let at = 0
    const segments = run.stages.map(({ stage, ms }) => {
      const from = at
      at += ms
      return {
        from,
        to: at,
        tone: stages.indexOf(stage),
        label: milliseconds(ms),
        title: `${stage}: ${milliseconds(ms)}`,
      }
    })
    const value = milliseconds(at)
    const long = run.ms ? `${value} (${figure(run.ms.least)} … ${figure(run.ms.most)})` : value
    return { label: run.name, segments, value: long, shortValue: value }
  })
  const most = runs.map(sum).reduce((a, b) => Math.max(a, b), 0)
  return {
    ...{ id, title, commands, source },
    reading: `Time from left to right, stage after stage; shorter is better.${runs.some(({ ms }) => ms) ? ' Stages are medians of several processes; in brackets the fastest and the slowest of them.' : ''}`,
    draw: (canvas) =>
      drawBars(
        {
          blocks: [{ rows }],
          scale: { type: 'linear', most },
          unit: 'milliseconds →',
          lines: [],
          key: stages.map((name, tone) => ({ name, tone })),
        },
        canvas,
      ),
  }
}
