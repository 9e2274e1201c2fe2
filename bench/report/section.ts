import type { Chart } from './draw.ts'
import type { Markup } from './html.ts'

/** Charts side by side, or one under the other where each wants the whole width; or markup. */
export type Part = { readonly charts: readonly Chart[]; readonly whole?: boolean } | Markup

export interface Section {
  readonly id: string
  readonly title: string
  readonly parts: readonly Part[]
}
