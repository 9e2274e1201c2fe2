import type { Chart } from './draw.ts'
import type { Markup } from './html.ts'

/** Charts side by side, or markup. */
export type Part = { readonly charts: readonly Chart[] } | Markup

export interface Section {
  readonly id: string
  readonly title: string
  readonly parts: readonly Part[]
}
