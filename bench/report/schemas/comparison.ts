import { amount, list, number, object, optional, pairs, positive, text } from '../check.ts'
import { headFields, spreadOf } from './head.ts'

export type PeersReport = ReturnType<typeof peersReport>
export type ScalingReport = ReturnType<typeof scalingReport>
export type ComparisonCase = PeersReport['cases'][number]
export type ComparisonResult = ComparisonCase['results'][number]

const comparison = {
  name: text,
  flops: amount,
  results: list(
    object({
      name: text,
      times: list(positive),
      ms: optional(spreadOf(positive)),
      cosine: optional(number),
      memory: optional(object({ rss: amount })),
      failure: optional(text),
    }),
  ),
}

/** Contenders against each other, round by round. */
export const peersReport = object({
  ...headFields,
  cases: list(object(comparison)),
  contenders: pairs(text),
})

/** One thread against several; the ratio is absent where a case is too short to say much. */
export const scalingReport = object({
  ...headFields,
  threads: positive,
  cases: list(object({ ...comparison, ratio: optional(spreadOf(positive)) })),
})
