import { amount, list, object, optional, pairs, positive, text } from '../check.ts'
import { headFields, spreadOf } from './head.ts'

export type PartsReport = ReturnType<typeof partsReport>

export const partsReport = object({
  ...headFields,
  contenders: optional(pairs(text)),
  parts: list(
    object({
      part: text,
      name: text,
      contenders: list(
        object({
          name: text,
          ms: optional(spreadOf(positive)),
          rate: optional(amount),
          unit: optional(text),
          ratio: optional(spreadOf(positive)),
          failure: optional(text),
        }),
      ),
    }),
  ),
})
