import { type Canvas, fitted, plotStyle, textWidth } from '../draw.ts'
import { tick } from '../format.ts'
import { linearAxis, logAxis } from '../scale.ts'
import { keyOf } from './key.ts'
import { apart } from './labels.ts'

export interface Line {
  readonly name: string
  readonly tone: number
  readonly dashed?: boolean
  readonly points: readonly LinePoint[]
}

export interface LinePoint {
  readonly x: number
  readonly y: number
  readonly least: number
  readonly most: number
}

export interface LineChart {
  readonly lines: readonly Line[]
  readonly xUnit: string
  readonly yUnit: string
}

/** Lines over a logarithmic x, from y = 0, with the spread of each point, each named at its end. */
export function drawLines({ lines, xUnit, yUnit }: LineChart, { plot, document, width, theme }: Canvas): SVGSVGElement {
  const narrow = width < 560
  const colour = (tone: number) => theme.series[tone % theme.series.length]!
  const all = lines.flatMap(({ points }) => points)
  const key = keyOf(
    narrow ? lines.filter(({ dashed }) => !dashed).map(({ name, tone }) => ({ name, colour: colour(tone) })) : [],
    {
      plot,
      width,
      theme,
    },
  )
  const longest = lines.reduce((most, { name }) => Math.max(most, textWidth(name)), 0)
  const right = narrow ? 12 : Math.min(0.38 * width, longest + 16)
  const top = key.height + 24
  const frame = { left: 50, right: width - right, top, bottom: top + (narrow ? 220 : 300) }
  const height = frame.bottom + 42
  const counts = [...new Set(all.map(({ x }) => x))].sort((a, b) => a - b)
  const domain = [counts[0]! / 1.12, counts.at(-1)! * 1.12] as const
  const x = logAxis(domain, [frame.left, frame.right], 8)
  const y = linearAxis(
    all.reduce((most, point) => Math.max(most, point.most), 0),
    [frame.bottom, frame.top],
    6,
  )
  const ends = lines.flatMap((line) => {
    const last = line.points.at(-1)
    return last ? [{ ...line, last }] : []
  })
  const heights = apart(
    ends.map(({ last }) => y.at(last.y)),
    14,
    frame.bottom,
  )
  // ticks that would run into each other are left out
  const shown = counts.filter(
    (count, i) => i === 0 || counts.slice(0, i).every((before) => x.at(count) - x.at(before) > 34),
  )
  return plot.plot({
    document,
    className: 'chart',
    style: plotStyle(theme),
    width,
    height,
    ...{ marginLeft: frame.left, marginRight: right, marginTop: frame.top, marginBottom: height - frame.bottom },
    x: { type: 'log', domain: [...domain], axis: null },
    y: { type: 'linear', domain: [...y.domain], axis: null },
    marks: [
      plot.gridY(y.ticks, { stroke: theme.grid, strokeOpacity: 1 }),
      plot.text(shown, {
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
      plot.ruleY([0], { stroke: theme.muted }),
      note([`↑ ${yUnit}`], 'top-left', 4 - frame.left, -14),
      note([`${xUnit} →`], 'bottom-right', narrow ? 0 : right - 6, 36),
      lines.map(({ points, tone, dashed }) => [
        plot.line(points, {
          x: 'x',
          y: 'y',
          stroke: colour(tone),
          strokeWidth: 2,
          ...(dashed && { strokeDasharray: '4 4' }),
        }),
        plot.ruleX(points, { x: 'x', y1: 'least', y2: 'most', stroke: colour(tone), strokeWidth: 1.25 }),
        plot.dot(points, { x: 'x', y: 'y', r: dashed ? 2.5 : 3.5, fill: colour(tone) }),
      ]),
      narrow
        ? []
        : ends.map(({ name, tone }, i) =>
            plot.text([name], {
              ...{
                frameAnchor: 'top-right',
                lineAnchor: 'middle',
                textAnchor: 'start',
                dx: 10,
                dy: heights[i]! - frame.top,
              },
              ...{ text: (letters) => fitted(letters, right - 14), fill: colour(tone) },
            }),
          ),
      key.marks(frame.left, frame.top),
    ],
  }) as SVGSVGElement

  function note(text: string[], frameAnchor: 'top-left' | 'bottom-right', dx: number, dy: number) {
    const textAnchor = frameAnchor === 'top-left' ? 'start' : 'end'
    return plot.text(text, {
      frameAnchor,
      lineAnchor: 'middle',
      textAnchor,
      dx,
      dy,
      text: (letters) => letters,
      fill: theme.muted,
    })
  }
}
