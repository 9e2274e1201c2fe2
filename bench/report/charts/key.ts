import type { Markish } from '../../vendor/plot.ts'
import { type Canvas, fitted, textWidth } from '../draw.ts'

export interface KeyEntry {
  readonly name: string
  readonly colour: string
  /** Default: a square. */
  readonly sign?: string
}

/** Colours and what they stand for, above a chart, in as many lines as it takes. */
export function keyOf(entries: readonly KeyEntry[], { plot, width, theme }: Pick<Canvas, 'plot' | 'width' | 'theme'>) {
  const line = 18
  let x = 4
  let y = line / 2
  const placed = entries.map((entry) => {
    const name = fitted(entry.name, width - 40)
    const room = 16 + textWidth(name) + 14
    if (x > 4 && x + room > width) {
      x = 4
      y += line
    }
    const place = { ...entry, name, x, y }
    x += room
    return place
  })
  return {
    height: entries.length > 0 ? y + line / 2 + 4 : 0,
    /** left, top: the margins of the chart. */
    marks: (left: number, top: number): Markish[] =>
      placed.flatMap(({ name, colour, sign, x, y }) => {
        const place = { frameAnchor: 'top-left', lineAnchor: 'middle', textAnchor: 'start', dy: y - top } as const
        return [
          plot.text([sign ?? '■'], {
            ...place,
            dx: x - left,
            text: (letter: string) => letter,
            fill: colour,
            fontSize: 14,
          }),
          plot.text([name], { ...place, dx: x + 16 - left, text: (letters: string) => letters, fill: theme.text }),
        ]
      }),
  }
}
