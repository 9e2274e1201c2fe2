import { type Canvas, fitted, plotStyle, textWidth } from '../draw.ts'
import { figure, tick } from '../format.ts'
import { logAxis } from '../scale.ts'
import type { Roof } from '../schemas/kernels.ts'
import { keyOf } from './key.ts'
import { along, apart, type Box, placeLabels } from './labels.ts'

export interface RooflinePoint {
  readonly operation: string
  /** FLOP per byte. */
  readonly intensity: number
  readonly gflopsPerSecond: number
  /** The fastest variant of its case. */
  readonly best: boolean
  /** What may stand beside it, the longest first. */
  readonly labels: readonly string[]
  /** Shown by the browser over the point. */
  readonly title: string
}

export interface Roofline {
  readonly points: readonly RooflinePoint[]
  readonly roofs: readonly Roof[]
  readonly limits: Limits
  /** Index of a colour and a sign by operation. */
  readonly tones: ReadonlyMap<string, number>
}

export interface Limits {
  readonly intensity: readonly [number, number]
  readonly rate: readonly [number, number]
}

export const isBandwidth = ({ unit }: Roof) => unit === 'GB/s'

/** What holds all points and the corner of every roof. Undefined where there is nothing to draw. */
export function roofLimits(points: readonly RooflinePoint[], roofs: readonly Roof[]): Limits | undefined {
  const peaks = roofs.filter((roof) => !isBandwidth(roof)).map(({ rate }) => rate)
  const bandwidths = roofs.filter(isBandwidth).map(({ rate }) => rate)
  const corners = peaks.flatMap((peak) => bandwidths.map((bandwidth) => peak / bandwidth))
  const x = [...points.map(({ intensity }) => intensity), ...corners]
  const y = [...points.map(({ gflopsPerSecond }) => gflopsPerSecond), ...peaks]
  if (x.length === 0 || y.length === 0) return undefined
  const least = (list: readonly number[]) => list.reduce((a, b) => Math.min(a, b))
  const most = (list: readonly number[]) => list.reduce((a, b) => Math.max(a, b))
  return { intensity: [least(x) / 1.8, most(x) * 2.5], rate: [least(y) / 1.8, most(y) * 1.8] }
}

const symbols = [
  { name: 'circle', sign: '●' },
  { name: 'square', sign: '■' },
  { name: 'triangle', sign: '▲' },
  { name: 'diamond2', sign: '◆' },
] as const

/** Of more points only the fastest of each case are labelled: the others stand below them. */
const mostWithOthers = 40

/** More labels would cover the chart. */
const mostLabels = 160

/** GFLOP/s over FLOP per byte, both as logarithms: bandwidth is a slope, a peak a level, and every kernel a point under them. */
export function drawRoofline(
  { points, roofs, limits, tones }: Roofline,
  { plot, document, width, theme }: Canvas,
): SVGSVGElement {
  const narrow = width < 560
  const colour = (operation: string) => theme.series[(tones.get(operation) ?? 0) % theme.series.length]!
  // another sign where the colours begin again
  const symbol = (operation: string) => {
    const tone = tones.get(operation) ?? 0
    return symbols[(tone + Math.floor(tone / theme.series.length)) % symbols.length]!
  }
  const operations = [...tones.keys()].filter((name) => points.some(({ operation }) => operation === name))
  const key = keyOf(
    operations.map((name) => ({ name, colour: colour(name), sign: symbol(name).sign })),
    { plot, width, theme },
  )
  const peaks = roofs.filter((roof) => !isBandwidth(roof)).sort((a, b) => b.rate - a.rate)
  const peakTexts = peaks.map(
    ({ name, rate, unit }) => [fitted(name, 180), fitted(`${figure(rate)} ${unit}`, 180)] as const,
  )
  const widestPeak = peakTexts.flat().reduce((most, text) => Math.max(most, textWidth(text)), 0)
  // named at their ends, or, where that would take the chart's room, above it in the same order
  const right = narrow ? 8 : Math.min(200, widestPeak + 12)
  const top = key.height + 24 + (narrow ? 16 * peaks.length : 0)
  const frame: Box = { left: 46, right: width - right, top, bottom: top + (narrow ? 330 : 470) }
  const height = frame.bottom + 42
  const x = logAxis(limits.intensity, [frame.left, frame.right], narrow ? 5 : 12)
  const y = logAxis(limits.rate, [frame.bottom, frame.top], narrow ? 5 : 9)

  const bandwidths = roofs.filter(isBandwidth)
  const widest = bandwidths.reduce((most, { rate }) => Math.max(most, rate), 0)
  const slowest = bandwidths.reduce((least, { rate }) => Math.min(least, rate), Infinity)
  const highest = peaks[0]?.rate ?? limits.rate[1]
  const levels = peaks.map(({ rate }) => ({
    rate,
    from: widest > 0 ? Math.max(limits.intensity[0], rate / widest) : limits.intensity[0],
    to: limits.intensity[1],
  }))
  const slopes = bandwidths.map(({ rate }) => {
    const from = Math.max(limits.intensity[0], limits.rate[0] / rate)
    const to = Math.min(limits.intensity[1], highest / rate)
    return { rate, from, to: Math.max(from, to), fromRate: from * rate, toRate: Math.max(from, to) * rate }
  })
  const lines = [
    ...levels.map(({ rate, from, to }) => along(x.at(from), y.at(rate), x.at(to), y.at(rate))),
    ...slopes.map((line) => along(x.at(line.from), y.at(line.fromRate), x.at(line.to), y.at(line.toRate))),
  ].flat()

  const heights = apart(
    levels.map(({ rate }) => y.at(rate)),
    32,
    frame.bottom,
  )
  const slopeLabels = bandwidths.map(({ name, rate, unit }, i) => {
    const line = slopes[i]!
    const text = fitted(`${name}: ${figure(rate)} ${unit}`, 240)
    const [x1, y1, x2, y2] = [x.at(line.from), y.at(line.fromRate), x.at(line.to), y.at(line.toRate)]
    const angle = Math.atan2(y2 - y1, x2 - x1)
    // beside the lowest part of the line, above it; under it for a second, slower one
    const side = rate === slowest && bandwidths.length > 1 ? 10 : -10
    const start = {
      x: x1 + 8 * Math.cos(angle) - side * Math.sin(angle),
      y: y1 + 8 * Math.sin(angle) + side * Math.cos(angle),
    }
    const long = textWidth(text)
    const end = { x: start.x + long * Math.cos(angle), y: start.y + long * Math.sin(angle) }
    return {
      text,
      ...start,
      angle: (angle * 180) / Math.PI,
      boxes: along(start.x, start.y, end.x, end.y).map((box) => grown(box, 5)),
    }
  })

  const ordered = [...points].sort((a, b) => Number(b.best) - Number(a.best))
  const spots = ordered.map((point) => ({
    ...point,
    px: x.at(point.intensity),
    py: y.at(point.gflopsPerSecond),
    radius: point.best ? 4.5 : 3,
  }))
  const named = spots.length > mostWithOthers ? spots.filter(({ best }) => best) : spots
  const groups = groupsOf(named.slice(0, mostLabels))
  const placed = placeLabels(
    groups.map((group) => ({
      x: group[0]!.px,
      y: group[0]!.py,
      radius: group[0]!.radius,
      texts: textsOf(group, narrow),
    })),
    [...lines, ...slopeLabels.flatMap(({ boxes }) => boxes)],
    frame,
  )
  const labels = placed.flatMap((label, i) => (label ? [{ ...label, spot: groups[i]![0]! }] : []))
  const leaders = labels.flatMap(({ leader, spot }) => (leader ? [{ leader, spot }] : []))
  const halo = theme.background ? { stroke: theme.background, strokeWidth: 3 } : {}
  const roofInk = { stroke: theme.text, strokeWidth: 1.5 }
  return plot.plot({
    document,
    className: 'chart',
    style: plotStyle(theme),
    width,
    height,
    ...{
      marginLeft: frame.left,
      marginRight: width - frame.right,
      marginTop: frame.top,
      marginBottom: height - frame.bottom,
    },
    x: { type: 'log', domain: [...x.domain], axis: null },
    y: { type: 'log', domain: [...y.domain], axis: null },
    marks: [
      plot.gridX(x.ticks, { stroke: theme.grid, strokeOpacity: 1 }),
      plot.gridY(y.ticks, { stroke: theme.grid, strokeOpacity: 1 }),
      plot.text(x.ticks, {
        x: (at) => at,
        frameAnchor: 'bottom',
        lineAnchor: 'top',
        dy: 8,
        text: tick,
        fill: theme.muted,
      }),
      plot.text(y.ticks, {
        y: (at) => at,
        frameAnchor: 'left',
        textAnchor: 'end',
        dx: -8,
        text: tick,
        fill: theme.muted,
      }),
      corner(plot, 'top-left', -frame.left + 4, key.height + 10 - frame.top, '↑ GFLOP/s', theme.muted),
      corner(plot, 'bottom-right', 0, 36, 'arithmetic intensity, FLOP per byte →', theme.muted),
      plot.link(levels, { x1: 'from', x2: 'to', y1: 'rate', y2: 'rate', ...roofInk }),
      plot.link(slopes, { x1: 'from', x2: 'to', y1: 'fromRate', y2: 'toRate', ...roofInk }),
      peakTexts.map(([name, rate], i) =>
        narrow
          ? corner(plot, 'top-right', 0, -16 * (peaks.length - i) + 4, `${name}: ${rate}`, theme.text)
          : [
              corner(plot, 'top-right', 6, heights[i]! - frame.top - 7, name, theme.text, { textAnchor: 'start' }),
              corner(plot, 'top-right', 6, heights[i]! - frame.top + 7, rate, theme.text, { textAnchor: 'start' }),
            ],
      ),
      slopeLabels.map((label) =>
        plot.text([label.text], {
          ...{ frameAnchor: 'top-left', lineAnchor: 'middle', textAnchor: 'start', rotate: label.angle },
          ...{ dx: label.x - frame.left, dy: label.y - frame.top, text: (text) => text, fill: theme.text, ...halo },
        }),
      ),
      plot.link(leaders, {
        ...{ x1: ({ spot }) => spot.intensity, y1: ({ spot }) => spot.gflopsPerSecond, stroke: theme.muted },
        ...{ x2: ({ leader }) => x.value(leader.x), y2: ({ leader }) => y.value(leader.y), strokeWidth: 0.75 },
      }),
      [false, true].map((best) =>
        operations.map((operation) =>
          plot.dot(
            spots.filter((spot) => spot.best === best && spot.operation === operation),
            {
              ...{
                x: 'intensity',
                y: 'gflopsPerSecond',
                r: best ? 4.5 : 3,
                symbol: symbol(operation).name,
                title: 'title',
              },
              ...{ stroke: colour(operation), strokeWidth: 1.25, fill: best ? colour(operation) : 'none' },
            },
          ),
        ),
      ),
      labels.map(({ text, x: px, y: py, spot }) =>
        plot.text([text], {
          ...{
            frameAnchor: 'top-left',
            lineAnchor: 'middle',
            textAnchor: 'middle',
            dx: px - frame.left,
            dy: py - frame.top,
          },
          ...{ text: (letters) => letters, fontSize: 11, fill: spot.best ? theme.text : theme.muted, ...halo },
        }),
      ),
      key.marks(frame.left, frame.top),
    ],
  }) as SVGSVGElement
}

interface Spot extends RooflinePoint {
  readonly px: number
  readonly py: number
  readonly radius: number
}

/** Points of one operation that lie on each other share a label. */
function groupsOf(spots: readonly Spot[]): Spot[][] {
  const groups: Spot[][] = []
  for (const spot of spots) {
    const group = groups.find(
      ([first]) =>
        first!.best === spot.best &&
        first!.operation === spot.operation &&
        Math.hypot(first!.px - spot.px, first!.py - spot.py) < 5,
    )
    if (group) group.push(spot)
    else groups.push([spot])
  }
  return groups
}

/** The longest first. */
function textsOf(group: readonly Spot[], narrow: boolean): string[] {
  const [first] = group
  if (group.length === 1) return narrow ? first!.labels.slice(-1) : [...first!.labels]
  const rows = group.map(({ labels }) => labels.at(-1)!).join(', ')
  return [...(narrow || !first!.best ? [] : [`${rows} ${first!.operation}`]), rows, `${first!.labels.at(-1)}, …`]
}

const grown = ({ left, top, right, bottom }: Box, by: number): Box => ({
  left: left - by,
  top: top - by,
  right: right + by,
  bottom: bottom + by,
})

/** A line of text in pixels from a corner of the frame. */
function corner(
  plot: Canvas['plot'],
  frameAnchor: 'top-left' | 'top-right' | 'bottom-right',
  dx: number,
  dy: number,
  text: string,
  fill: string,
  more: object = {},
) {
  const textAnchor = frameAnchor === 'top-left' ? 'start' : 'end'
  return plot.text([text], {
    frameAnchor,
    lineAnchor: 'middle',
    textAnchor,
    dx,
    dy,
    text: (letters) => letters,
    fill,
    ...more,
  })
}
