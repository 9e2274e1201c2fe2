import type * as Plot from '../vendor/plot.ts'
import { escapeText } from './html.ts'
import { fileTheme, type Theme } from './theme.ts'

/** What a chart is drawn with. */
export interface Canvas {
  readonly plot: typeof Plot
  readonly document: Document
  /** In CSS pixels. */
  readonly width: number
  readonly theme: Theme
}

export interface Chart {
  /** Unique on the page; the name of its file. */
  readonly id: string
  readonly title: string
  /** One sentence: how to read it. */
  readonly reading: string
  /** What measures it again, for each file that is in it. */
  readonly commands: readonly string[]
  /** Where it was measured, for a file that stands alone. */
  readonly source: string
  readonly draw: (canvas: Canvas) => SVGSVGElement
}

/** Of Plot's charts: the font of the page, text that does not shrink. */
export const fontSize = 12

export const plotStyle = (theme: Theme) => ({
  font: `${fontSize}px system-ui,-apple-system,"Segoe UI",sans-serif`,
  color: theme.text,
  background: 'none',
  overflow: 'visible',
})

/** Roughly, of a sans-serif font. */
export const textWidth = (text: string, size = fontSize) =>
  [...text].reduce(
    (sum, letter) => sum + (/[ilj.,:;'|!()[\]tfr ]/.test(letter) ? 0.36 : /[mwMW%@×]/.test(letter) ? 0.88 : 0.6),
    0,
  ) * size

/** Cut at the end to what fits into `width` pixels. */
export function fitted(text: string, width: number, size = fontSize): string {
  if (textWidth(text, size) <= width) return text
  const letters = [...text]
  while (letters.length > 1 && textWidth(`${letters.join('')}…`, size) > width) letters.pop()
  return `${letters.join('').trimEnd()}…`
}

/** The chart as part of a page, where the element with the id of the chart and `-title` says what it is. */
export function svgText(chart: Chart, canvas: Canvas): string {
  const svg = tidied(chart.draw(canvas))
  svg.setAttribute('role', 'img')
  svg.setAttribute('aria-labelledby', `${chart.id}-title`)
  return svg.outerHTML
}

/** The chart as a file of its own, with its words, for a light or a dark background. */
export function svgFile(chart: Chart, canvas: Omit<Canvas, 'width' | 'theme'>): string {
  const width = 880
  const svg = tidied(chart.draw({ ...canvas, width, theme: fileTheme }))
  const lines = (text: string, size: number) => wrapped(text, width - 16, size)
  let y = 4
  const words = [
    ...lines(chart.title, 17).map((line) => ({ line, size: 17, weight: 600 })),
    ...lines(chart.reading, 13).map((line) => ({ line, size: 13, weight: 400 })),
  ].map(({ line, size, weight }) => {
    y += Math.round(size * 1.4)
    return `<text x="8" y="${y}" font-size="${size}" font-weight="${weight}">${escapeText(line)}</text>`
  })
  const top = y + 12
  svg.setAttribute('xmlns', 'http://www.w3.org/2000/svg')
  svg.setAttribute('y', String(top))
  const height = top + Number(svg.getAttribute('height'))
  const notes = [
    ...lines(chart.source, 12),
    ...chart.commands.flatMap((command) => lines(`Repeat: ${command}`, 12)),
  ].map((line, i) => `<text x="8" y="${height + 18 + 17 * i}" font-size="12">${escapeText(line)}</text>`)
  const whole = height + 14 + 17 * notes.length
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${whole}" viewBox="0 0 ${width} ${whole}" font-family="system-ui,-apple-system,'Segoe UI',sans-serif" fill="${fileTheme.text}" role="img"><title>${escapeText(chart.title)}</title>
${words.join('\n')}
${svg.outerHTML}
<g fill="${fileTheme.muted}">${notes.join('')}</g>
</svg>
`
}

/** Into lines of at most `width` pixels, at spaces. */
function wrapped(text: string, width: number, size: number): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last !== undefined && textWidth(`${last} ${word}`, size) <= width) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(fitted(word, width, size))
  }
  return lines
}

/** Coordinates to a hundredth of a pixel: a third of the size. */
function tidied(svg: SVGSVGElement): SVGSVGElement {
  for (const element of [svg, ...svg.querySelectorAll('*')]) {
    for (const { name, value } of [...element.attributes]) {
      if (/\d\.\d{3}/.test(value)) {
        element.setAttribute(
          name,
          value.replace(/-?\d+\.\d{3,}(e-\d+)?/g, (digits) => String(Number(Number(digits).toFixed(2)))),
        )
      }
    }
  }
  return svg
}
