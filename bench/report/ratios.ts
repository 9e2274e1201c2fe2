import type { Spread } from '../statistics.ts'
import { type BarBlock, drawBars } from './charts/bars.ts'
import type { Canvas } from './draw.ts'
import { ratio, ratioSpread, tick } from './format.ts'

export interface RatioBlock {
  readonly title: string
  readonly rows: readonly { readonly label: string; readonly ratio: Spread; readonly title?: string }[]
}

/** Holds 1, and a half to two at least. */
export function ratioDomain(blocks: readonly RatioBlock[]): readonly [number, number] {
  const all = blocks.flatMap(({ rows }) => rows.map((row) => row.ratio))
  const least = all.reduce((low, one) => Math.min(low, one.least), 0.8)
  const most = all.reduce((high, one) => Math.max(high, one.most), 1.6)
  return [least / 1.08, most * 1.08]
}

const [faster, slower] = [0, 1]

/** Bars from 1, to the right where ours is faster, with whiskers. */
export function drawRatios(
  blocks: readonly RatioBlock[],
  domain: readonly [number, number],
  canvas: Canvas,
): SVGSVGElement {
  const bars = blocks.map(
    ({ title, rows }): BarBlock => ({
      title,
      rows: rows.map(({ label, ratio: of, title }) => ({
        label,
        segments: [
          { from: 1, to: of.median, tone: of.median >= 1 ? faster : slower, ...(title !== undefined && { title }) },
        ],
        whisker: of,
        value: ratioSpread(of),
        shortValue: ratio(of.median),
      })),
    }),
  )
  return drawBars(
    {
      blocks: bars,
      scale: { type: 'log', domain },
      unit: 'times as fast →',
      lines: [{ at: 1, label: '' }],
      format: (value) => `${tick(value)}×`,
    },
    canvas,
  )
}
