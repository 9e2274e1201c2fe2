import { amount, list, number, object, optional, text } from '../check.ts'
import { headFields } from './head.ts'

export type PrecisionReport = ReturnType<typeof precisionReport>

export const precisionReport = object({
  ...headFields,
  rows: list(
    object({
      device: text,
      dtype: text,
      weights: text,
      tower: text,
      items: amount,
      largest: amount,
      cosine: number,
      top1: amount,
      top10: amount,
    }),
  ),
  missing: optional(list(object({ device: text, dtype: text, reason: text }))),
})
