import { drawBars } from '../charts/bars.ts'
import { drawLines, type Line } from '../charts/lines.ts'
import { commandOf } from '../commands.ts'
import type { Chart } from '../draw.ts'
import { figure, milliseconds, percent, plural, slug } from '../format.ts'
import { html, type Markup } from '../html.ts'
import { headFacts, modelName, namesOf, runsOf, shortRuntime, sourceOf } from '../names.ts'
import type { From } from '../read.ts'
import type { ModelCase, ModelReport } from '../schemas/model.ts'
import type { Part, Section } from '../section.ts'
import { type Cell, table } from '../table.ts'
import type { Tones } from '../tones.ts'

interface Run extends From<ModelReport> {
  readonly name: string
}

export function modelRuns(files: readonly From<ModelReport>[]): Run[] {
  const names = namesOf(
    files.map(({ file, report }) => ({
      file,
      facts: [
        report.model.dtype,
        report.device.device,
        plural(report.device.threads, 'thread'),
        shortRuntime(report.machine.runtime),
        modelName(report.model.name),
        ...headFacts(report),
      ],
    })),
    2,
  )
  return files.map((from, i) => ({ ...from, name: names[i]! }))
}

/** Over length and batch as lines and bars of all runs, then where the time goes, run by run. */
export function modelSection(files: readonly From<ModelReport>[], tones: Tones): Section | undefined {
  if (files.length === 0) return undefined
  const runs = modelRuns(files)
  const models = [...new Set(runs.map(modelOf))]
  const length = models.map((model) =>
    lengthCharts(
      runs.filter((run) => modelOf(run) === model),
      models.length > 1 ? model : undefined,
    ),
  )
  const batch = runs.flatMap((run) => batchChart(run, runs))
  const shares = runs.flatMap((run) => shareChart(run, tones))
  const parts: Part[] = [
    ...length.flatMap((charts) => (charts.length > 0 ? [{ charts }] : [])),
    ...(batch.length > 0 ? [{ charts: batch }] : []),
    ...(shares.length > 0 ? [{ charts: shares }] : []),
    ...runs.map(casesTable),
  ]
  return { id: 'model', title: 'The whole model', parts }
}

const modelOf = ({ report }: Run) => modelName(report.model.name)

const perSecond = (count: number, ms: number) => (count * 1000) / ms

const isOneText = ({ texts, images }: ModelCase) => texts === 1 && images === 0

/** model: named where there are several, since a large one and a small one fit no axis together */
function lengthCharts(runs: readonly Run[], model: string | undefined): Chart[] {
  const lines = (rate: (item: ModelCase, ms: number) => number): Line[] =>
    runs.flatMap((run, tone) => {
      const single = run.report.cases
        .filter((item) => isOneText(item) && item.tokens > 0)
        .sort((a, b) => a.tokens - b.tokens)
      const point = (item: ModelCase, ms: ModelCase['ms']) => ({
        ...{ x: item.tokens, y: rate(item, ms.median), least: rate(item, ms.most), most: rate(item, ms.least) },
      })
      const whole = single.flatMap((item) => (item.msWhole ? [point(item, item.msWhole)] : []))
      return [
        { name: run.name, tone, points: single.map((item) => point(item, item.ms)) },
        ...(whole.length > 0 ? [{ name: `${run.name}, every key`, tone, dashed: true, points: whole }] : []),
      ]
    })
  const about = {
    commands: runs.map(({ report }) => commandOf('model', report)),
    source: [...new Set(runs.map(({ report }) => sourceOf(report)))].join('; '),
  }
  const tokens = lines((item, ms) => perSecond(item.tokens, ms))
  const flops = lines((item, ms) => item.flops / ms / 1e6)
  if (!tokens.some(({ points }) => points.length > 1)) return []
  const suffix = model === undefined ? [] : [model]
  const dashed = tokens.some((line) => line.dashed) ? ' Dashed: with attention looking at every key.' : ''
  return [
    {
      ...about,
      id: slug(['length-tokens', ...suffix].join(' ')),
      title: ['Tokens per second over the length of a text', ...suffix].join(': '),
      reading: `One text per call; higher is better; the stroke at a point is the spread of its calls.${dashed}`,
      draw: (canvas) => drawLines({ lines: tokens, xUnit: 'tokens in the text', yUnit: 'tokens/s' }, canvas),
    },
    {
      ...about,
      id: slug(['length-gflops', ...suffix].join(' ')),
      title: ['GFLOP/s over the length of a text', ...suffix].join(': '),
      reading: `The same calls as work done: flat where the processor is full, falling to the left where one text is too little work.${dashed}`,
      draw: (canvas) => drawLines({ lines: flops, xUnit: 'tokens in the text', yUnit: 'GFLOP/s' }, canvas),
    },
  ]
}

/** GFLOP/s of each case, texts and pictures alike, so that a batch stands beside a single one. */
function batchChart(run: Run, runs: readonly Run[]): Chart[] {
  const { cases } = run.report
  if (!cases.some(({ texts, images }) => texts > 1 || images > 1)) return []
  const rate = (flops: number, ms: number) => flops / ms / 1e6
  const most = runs
    .flatMap(({ report }) => report.cases.map(({ flops, ms }) => rate(flops, ms.least)))
    .reduce((a, b) => Math.max(a, b), 0)
  const row = (item: ModelCase) => {
    const { name, flops, ms, images, tokens } = item
    const per =
      images > 0
        ? `${figure(perSecond(images, ms.median))} images/s`
        : `${figure(perSecond(tokens, ms.median))} tokens/s`
    return {
      label: name,
      segments: [
        { from: 0, to: rate(flops, ms.median), tone: images > 0 ? 2 : 0, title: `${name}: ${milliseconds(ms.median)}` },
      ],
      whisker: { least: rate(flops, ms.most), most: rate(flops, ms.least) },
      value: per,
    }
  }
  const texts = cases.filter(({ images }) => images === 0)
  const images = cases.filter((item) => item.images > 0)
  const blocks = [
    { title: 'texts × tokens', rows: texts.map(row) },
    { title: 'images', rows: images.map(row) },
  ].filter(({ rows }) => rows.length > 0)
  return [
    {
      id: slug(`batch-${run.name}`),
      title: `Batches: ${run.name}`,
      reading:
        'GFLOP/s of each call, the rate in the unit of its input at the right: compare 1x128 with 8x128, or one image with eight, to see what a batch wins.',
      commands: [commandOf('model', run.report)],
      source: sourceOf(run.report),
      draw: (canvas) => drawBars({ blocks, scale: { type: 'linear', most }, unit: 'GFLOP/s →', lines: [] }, canvas),
    },
  ]
}

function shareChart({ name, report }: Run, tones: Tones): Chart[] {
  const profiled = report.cases.flatMap(({ name, profile }) => (profile ? [{ name, profile }] : []))
  if (profiled.length === 0) return []
  const rows = profiled.map(({ name, profile: { ms, operations } }) => {
    const sum = operations.reduce((total, one) => total + one.ms, 0)
    const whole = Math.max(ms, sum)
    let at = 0
    const parts = [...operations]
      .sort((a, b) => tones.get(a.operation)! - tones.get(b.operation)!)
      .map((one) => ({ name: one.operation, ms: one.ms, tone: tones.get(one.operation)! }))
    const segments = [...parts, { name: 'between', ms: whole - sum, tone: 'rest' as const }].map((part) => {
      const from = at
      at += part.ms / whole
      const share = percent(part.ms / whole)
      return {
        from,
        to: at,
        tone: part.tone,
        label: share,
        title: `${name}: ${part.name} ${share}, ${milliseconds(part.ms)}`,
      }
    })
    return { label: name, segments, value: milliseconds(whole) }
  })
  const there = new Set(profiled.flatMap(({ profile }) => profile.operations.map(({ operation }) => operation)))
  const key = [...tones].flatMap(([operation, tone]) => (there.has(operation) ? [{ name: operation, tone }] : []))
  return [
    {
      id: slug(`shares-${name}`),
      title: `Where the time goes: ${name}`,
      reading:
        'Each bar is one call, profiled command by command, and its parts are shares of the time; between: tokens or pixels, recording, planning, and the way to the threads and back.',
      commands: [commandOf('model', report)],
      source: sourceOf(report),
      draw: (canvas) =>
        drawBars(
          {
            blocks: [{ rows }],
            scale: { type: 'linear', most: 1 },
            unit: 'share of the time',
            lines: [],
            format: percentOf,
            key: [...key, { name: 'between', tone: 'rest' as const }],
          },
          canvas,
        ),
    },
  ]
}

const percentOf = (share: number) => `${Math.round(share * 100)} %`

function casesTable(run: Run): Markup {
  const { name, report } = run
  const head = [
    'case',
    '#texts',
    '#tokens',
    '#images',
    '#ms',
    '#least … most',
    '#every key, ms',
    '#per second',
    '#GFLOP/s',
  ]
  const rows = report.cases.map(({ name, texts, tokens, images, ms, msWhole, gflopsPerSecond }): Cell[] => [
    ...[
      name,
      texts || '',
      tokens || '',
      images || '',
      html`<b>${figure(ms.median)}</b>`,
      `${figure(ms.least)} … ${figure(ms.most)}`,
    ],
    ...[
      msWhole ? figure(msWhole.median) : '',
      `${figure(perSecond(images || tokens, ms.median))} ${images > 0 ? 'images' : 'tokens'}`,
    ],
    figure(gflopsPerSecond),
  ])
  const title = name.includes(modelOf(run)) ? name : `${modelOf(run)}, ${name}`
  return table(`${title}: median of ${runsOf(report) || 'some'} calls`, head, rows)
}
