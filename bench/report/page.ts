import type * as Plot from '../vendor/plot.ts'
import { type Chart, svgFile, svgText } from './draw.ts'
import { plural } from './format.ts'
import { html, type Markup, raw } from './html.ts'
import { type Inputs, kinds } from './read.ts'
import type { Part, Section } from './section.ts'
import { kernelsSection } from './sections/kernels.ts'
import { loadSection } from './sections/load.ts'
import { machinesSection } from './sections/machines.ts'
import { modelSection } from './sections/model.ts'
import { partsSection } from './sections/parts.ts'
import { peersSection } from './sections/peers.ts'
import { precisionSection } from './sections/precision.ts'
import { scalingSection } from './sections/scaling.ts'
import { style } from './style.ts'
import { pageTheme } from './theme.ts'
import { tonesOf } from './tones.ts'

/** What draws: loaded only by those who draw. */
interface Drawing {
  readonly plot: typeof Plot
  readonly document: Document
}

async function drawing(): Promise<Drawing> {
  const [plot, { emptyDocument }] = await Promise.all([import('../vendor/plot.ts'), import('../vendor/dom.ts')])
  return { plot, document: emptyDocument() }
}

/** Only those that the inputs have something for. */
function sectionsOf(inputs: Inputs): Section[] {
  const tones = tonesOf(inputs)
  const sections = [
    kernelsSection(inputs.kernels, tones),
    peersSection(inputs.peers),
    partsSection(inputs.parts),
    modelSection(inputs.model, tones),
    scalingSection(inputs.scaling),
    loadSection(inputs.load, inputs.model),
    precisionSection(inputs.precision),
    machinesSection(inputs),
  ].flatMap((section) => section ?? [])
  return withUniqueIds(sections)
}

function withUniqueIds(sections: readonly Section[]): Section[] {
  const taken = new Set(sections.map(({ id }) => id))
  const unique = (chart: Chart): Chart => {
    let id = chart.id
    for (let i = 2; taken.has(id); i++) id = `${chart.id}-${i}`
    taken.add(id)
    return { ...chart, id }
  }
  const part = (one: Part): Part => ('charts' in one ? { ...one, charts: one.charts.map(unique) } : one)
  return sections.map((section) => ({ ...section, parts: section.parts.map(part) }))
}

/** One page that needs nothing else: no script, no font, no request. */
export async function reportPage(inputs: Inputs): Promise<string> {
  const sections = sectionsOf(inputs)
  const draw = await drawing()
  const processors = [
    ...new Set(kinds.flatMap((kind) => inputs[kind].map(({ report }) => report.machine.processor))),
  ].filter((name) => name !== 'unknown')
  const files = kinds.reduce((sum, kind) => sum + inputs[kind].length, 0)
  const body = html`<header><h1>bareclip bench</h1>
<p>${processors.length > 0 && `${processors.join('; ')}. `}${plural(files, 'report')}; every figure was measured by the command below its chart.</p>
<nav aria-label="Sections">${sections.map(({ id, title }) => html`<a href="#${id}">${title}</a>`)}</nav></header>
<main>
${sections.map(
  ({ id, title, parts }) => html`<section id="${id}"><h2>${title}</h2>
${parts.map((part) => partMarkup(part, draw))}</section>
`,
)}</main>
<footer><p>Drawn by <code>bareclip bench report</code>.</p></footer>`
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none';style-src 'unsafe-inline'">
<title>bareclip bench</title><style>${style}</style></head>
<body>${body.markup}</body></html>
`
}

function partMarkup(part: Part, draw: Drawing): Markup {
  if ('markup' in part) return part
  const beside = part.charts.length > 1 && !part.whole
  const width = beside ? 480 : 980
  const figures = part.charts.map((chart) => {
    const at = (width: number) => raw(svgText(chart, { ...draw, width, theme: pageTheme }))
    return html`<figure id="${chart.id}"><figcaption><h3 id="${chart.id}-title">${chart.title}</h3><p>${chart.reading}</p></figcaption>
<div class="wide">${at(width)}</div><div class="narrow">${at(358)}</div>
<p class="repeat">Repeat: ${chart.commands.map(commandMarkup)}</p></figure>
`
  })
  return html`<div class="${beside ? 'row' : 'column'}">${figures}</div>
`
}

/** A line breaks between words, not at the hyphens of an option. */
const commandMarkup = (command: string): Markup =>
  html`<code>${command.split(' ').map((word, i) => html`${i > 0 && ' '}<span>${word}</span>`)}</code>`

export interface SvgFile {
  /** Letters, digits and hyphens, and `.svg`. */
  readonly name: string
  readonly text: string
}

/** Every chart as a file that stands alone, on light and on dark. */
export async function chartFiles(inputs: Inputs): Promise<SvgFile[]> {
  const draw = await drawing()
  return sectionsOf(inputs).flatMap(({ parts }) =>
    parts.flatMap((part) =>
      'charts' in part ? part.charts.map((chart) => ({ name: `${chart.id}.svg`, text: svgFile(chart, draw) })) : [],
    ),
  )
}
