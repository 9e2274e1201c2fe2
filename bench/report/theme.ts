/** Colours of a chart: names of the page's CSS, or values. */
export interface Theme {
  readonly text: string
  /** Of axes, notes and what is left over. */
  readonly muted: string
  readonly grid: string
  /** Behind labels that stand on lines; undefined where the background is not known. */
  readonly background?: string
  /** On top of a series' colour. */
  readonly onSeries: string
  readonly series: readonly string[]
}

/** After Okabe and Ito, who chose colours that people with any kind of colour vision tell apart; darker on light, lighter on dark. */
const light = ['#0072b2', '#c44e00', '#00805c', '#a3488f', '#7a6a00', '#2b86bd', '#8a4b32', '#5c5f66']
const dark = ['#56b4e9', '#f58b45', '#35c4a0', '#e28cc9', '#d8c650', '#9dbcf5', '#cf9a7e', '#b4b7bd']

/** As far from white as from GitHub's black. */
const between = ['#2b82bf', '#cc6216', '#0f8f6c', '#b0589c', '#897809', '#4b8fc4', '#a56b52', '#757a82']

export const pageTheme: Theme = {
  text: 'var(--text)',
  muted: 'var(--muted)',
  grid: 'var(--grid)',
  background: 'var(--paper)',
  onSeries: 'var(--paper)',
  series: light.map((_, i) => `var(--series-${i})`),
}

export const fileTheme: Theme = {
  text: '#757b84',
  muted: '#7d838c',
  grid: '#7d838c55',
  onSeries: '#ffffff',
  series: between,
}

const variables = (colours: Readonly<Record<string, string>>, series: readonly string[]) =>
  [
    ...Object.entries(colours).map(([name, value]) => `--${name}:${value}`),
    ...series.map((value, i) => `--series-${i}:${value}`),
  ].join(';')

export const lightVariables = variables(
  {
    paper: '#ffffff',
    text: '#1c1f24',
    muted: '#5b616b',
    grid: '#e4e6ea',
    line: '#d5d8dd',
    panel: '#f6f7f8',
    loud: '#b42318',
  },
  light,
)

export const darkVariables = variables(
  {
    paper: '#14161a',
    text: '#e6e8eb',
    muted: '#9ca2ad',
    grid: '#2b2f36',
    line: '#363b43',
    panel: '#1c1f24',
    loud: '#ff7a6b',
  },
  dark,
)
