import { html, type Markup, raw } from './html.ts'

export type Cell = Markup | string | number

/** Columns whose names begin with `#` hold numbers and are set to the right. Rows: cells, or markup of a whole row. */
export function table(caption: string, head: readonly string[], rows: readonly (readonly Cell[] | Markup)[]): Markup {
  const numeric = head.map((name) => name.startsWith('#'))
  const kind = (i: number) => (numeric[i] ? raw(' class="n"') : '')
  const cells = (row: readonly Cell[]) =>
    row.map((cell, i) => (i === 0 ? html`<th scope="row"${kind(i)}>${cell}</th>` : html`<td${kind(i)}>${cell}</td>`))
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${caption}"><table><caption>${caption}</caption>
<thead><tr>${head.map((name, i) => html`<th scope="col"${kind(i)}>${name.replace(/^#/, '')}</th>`)}</tr></thead>
<tbody>${rows.map((row) =>
    'markup' in row
      ? row
      : html`<tr>${cells(row)}</tr>
`,
  )}</tbody></table></div>
`
}
