import { amount, list, object, optional, positive, text } from '../check.ts'
import { deviceInfo, headFields, spreadOf } from './head.ts'

export type ModelReport = ReturnType<typeof modelReport>
export type ModelCase = ModelReport['cases'][number]

const profile = object({
  ms: positive,
  operations: list(object({ operation: text, calls: amount, ms: amount, flops: amount, bytes: amount })),
})

export const modelReport = object({
  ...headFields,
  model: object({ name: text, dtype: text, type: text }),
  device: deviceInfo,
  load: object({ ms: positive, stages: list(object({ stage: text, ms: amount })) }),
  runs: optional(amount),
  cases: list(
    object({
      name: text,
      texts: amount,
      tokens: amount,
      images: amount,
      ms: spreadOf(positive),
      msWhole: optional(spreadOf(positive)),
      flops: amount,
      gflopsPerSecond: amount,
      profile: optional(profile),
    }),
  ),
  coldStart: optional(object({ runs: amount, first: spreadOf(positive), ms: spreadOf(positive) })),
  memory: object({ weights: amount, scratch: amount, peak: amount, rss: amount, peakRss: amount }),
})
