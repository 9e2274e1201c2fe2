import { type Canvas, fitted, plotStyle, textWidth } from '../draw.ts'
import { tick } from '../format.ts'
import { type Axis, linearAxis, logAxis } from '../scale.ts'
import { keyOf } from './key.ts'

/** Index of a series' colour, or of what is left over. */
export type Tone = number | 'rest'

export interface Segment {
  readonly from: number
  readonly to: number
  readonly tone: Tone
  /** Written inside if it fits. */
  readonly label?: string
  readonly title?: string
}

export interface BarRow {
  readonly label: string
  readonly segments: readonly Segment[]
  readonly whisker?: { readonly least: number; readonly most: number }
  /** In a column at the right. */
  readonly value: string
  /** The same where there is little room. */
  readonly shortValue?: string
}

export interface BarBlock {
  readonly title?: string
  readonly rows: readonly BarRow[]
}

export interface BarChart {
  readonly blocks: readonly BarBlock[]
  /** linear: from 0 to above `most`. */
  readonly scale:
    | { readonly type: 'linear'; readonly most: number }
    | { readonly type: 'log'; readonly domain: readonly [number, number] }
  readonly unit: string
  readonly lines: readonly { readonly at: number; readonly label: string }[]
  readonly format?: (value: number) => string
  /** Colours that have to be explained. */
  readonly key?: readonly { readonly name: string; readonly tone: Tone }[]
}

const barHeight = 13
const rowHeight = 21
const titleHeight = 22
const gap = 10

/** Horizontal bars in blocks, a row each: name, bar with whisker, figure. */
export function drawBars(chart: BarChart, { plot, document, width, theme }: Canvas): SVGSVGElement {
  const narrow = width < 560
  const rows = chart.blocks.flatMap((block) => block.rows)
  const figureOf = (row: BarRow) => (narrow ? (row.shortValue ?? row.value) : row.value)
  const widest = (texts: readonly string[]) => texts.reduce((most, text) => Math.max(most, textWidth(text)), 0)
  const labels = widest(rows.map(({ label }) => label))
  const above = labels > 0.3 * width
  const left = above ? 8 : Math.ceil(labels) + 12
  const right = Math.min(0.4 * width, Math.ceil(widest(rows.map(figureOf))) + 14)
  const range: readonly [number, number] = [left, width - right]
  const room = (range[1] - range[0]) / 70
  const axis: Axis =
    chart.scale.type === 'log' ? logAxis(chart.scale.domain, range, room) : linearAxis(chart.scale.most, range, room)

  const tone = (of: Tone) => (of === 'rest' ? theme.muted : theme.series[of % theme.series.length]!)
  const key = keyOf(
    (chart.key ?? []).map((one) => ({ name: one.name, colour: tone(one.tone) })),
    { plot, width, theme },
  )
  const top = key.height + 6 + (chart.lines.some(({ label }) => label) ? 14 : 0)

  let y = top
  const titles: { text: string; y: number }[] = []
  const placed: { row: BarRow; y: number; labelY: number }[] = []
  const spans: [number, number][] = []
  for (const [i, block] of chart.blocks.entries()) {
    if (i > 0) y += gap
    if (block.title !== undefined) {
      titles.push({ text: fitted(block.title, width - 8), y: y + 14 })
      y += titleHeight
    }
    const start = y
    for (const row of block.rows) {
      if (above) y += 18
      if (above) spans.push([y, y + rowHeight])
      placed.push({ row, y: y + rowHeight / 2, labelY: above ? y - 7 : y + rowHeight / 2 })
      y += rowHeight
    }
    if (!above) spans.push([start, y])
  }
  const bottom = y + 4
  const height = bottom + 42

  const bars = placed.flatMap(({ row, y }) =>
    row.segments.filter(({ from, to }) => from !== to).map((segment) => ({ ...segment, y, fill: tone(segment.tone) })),
  )
  const inside = bars.flatMap(({ from, to, label, y }) => {
    const space = Math.abs(axis.at(to) - axis.at(from)) - 6
    const x = chart.scale.type === 'log' ? Math.sqrt(from * to) : (from + to) / 2
    return label !== undefined && textWidth(label, 11) <= space ? [{ x, y, label }] : []
  })
  const whiskers = placed.flatMap(({ row, y }) => (row.whisker ? [{ ...row.whisker, y }] : []))
  const half = barHeight / 2
  const ink = { stroke: theme.text, strokeWidth: 1.25 }
  return plot.plot({
    document,
    className: 'chart',
    style: plotStyle(theme),
    width,
    height,
    ...{ marginLeft: left, marginRight: right, marginTop: top, marginBottom: height - bottom },
    x: { type: chart.scale.type, domain: [...axis.domain], axis: null },
    y: { type: 'identity', axis: null },
    marks: [
      spans.map(([y1, y2]) => plot.ruleX(axis.ticks, { y1, y2, stroke: theme.grid })),
      plot.text(axis.ticks, { x: (at) => at, y: bottom + 10, text: chart.format ?? tick, fill: theme.muted }),
      plot.text([chart.unit], {
        ...{ frameAnchor: 'bottom-right', dx: right - 6, dy: 34, lineAnchor: 'bottom', textAnchor: 'end' },
        ...{ text: (unit) => unit, fill: theme.muted },
      }),
      plot.rect(bars, {
        ...{ x1: 'from', x2: 'to', y1: ({ y }) => y - half, y2: ({ y }) => y + half },
        ...{
          fill: 'fill',
          fillOpacity: theme.background || chart.key ? 1 : 0.65,
          insetRight: chart.key ? 1 : 0,
          title: 'title',
        },
      }),
      plot.text(inside, { x: 'x', y: 'y', text: 'label', fill: theme.onSeries, fontSize: 11 }),
      plot.ruleY(whiskers, { x1: 'least', x2: 'most', y: 'y', ...ink }),
      plot.ruleX(whiskers, { x: 'least', y1: ({ y }) => y - 3.5, y2: ({ y }) => y + 3.5, ...ink }),
      plot.ruleX(whiskers, { x: 'most', y1: ({ y }) => y - 3.5, y2: ({ y }) => y + 3.5, ...ink }),
      chart.lines.map(({ at, label }) => [
        spans.map(([y1, y2]) =>
          plot.ruleX([at], { y1: above ? y1 : y1 - 2, y2: above ? y2 : y2 + 2, stroke: theme.text }),
        ),
        plot.text([at], { x: [at], y: top - 9, text: [label], fill: theme.muted }),
      ]),
      plot.text(titles, {
        ...{ frameAnchor: 'left', dx: 4 - left, y: 'y', textAnchor: 'start' },
        ...{ text: 'text', fontWeight: 600, fill: theme.text },
      }),
      plot.text(placed, {
        ...{ frameAnchor: 'left', dx: above ? -4 : -8, y: 'labelY', textAnchor: above ? 'start' : 'end' },
        ...{ text: ({ row }) => (above ? fitted(row.label, width - 12) : row.label), fill: theme.text },
      }),
      plot.text(placed, {
        ...{ frameAnchor: 'right', dx: right - 6, y: 'y', textAnchor: 'end' },
        ...{ text: ({ row }) => fitted(figureOf(row), right - 8), fill: theme.text, fontVariant: 'tabular-nums' },
      }),
      key.marks(left, top),
    ],
  }) as SVGSVGElement
}
