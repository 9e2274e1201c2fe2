import { amount, list, object, positive, text } from '../check.ts'
import { headFields, spreadOf } from './head.ts'

export type LoadReport = ReturnType<typeof loadReport>

export const loadReport = object({
  ...headFields,
  runs: list(
    object({
      start: amount,
      stages: list(object({ stage: text, ms: amount })),
      ms: positive,
      before: object({ rss: amount }),
      weights: amount,
    }),
  ),
  ms: spreadOf(positive),
  peakRss: spreadOf(positive),
})
