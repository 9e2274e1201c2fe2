import { ratioOf, type Spread } from '../statistics.ts'
import { digits, mebibytes, table } from '../table.ts'
import type { CaseComparison, Summary } from './compare.ts'

/** ours: the contenders that a ratio is printed for, each against all others that are not in the list. */
export function comparisonText({ name, flops, results }: CaseComparison, ours: readonly string[]): string {
  const head = ['  ', 'ms', 'least', 'most', 'GFLOP/s', 'resident', 'cosine', ...ours.map((one) => `${one} is`)]
  const rows = results.map(({ name: who, ms, memory, cosine, failure }, i) => {
    if (!ms) return [`  ${who}`, failure ?? 'no result']
    const ratios = ours.map((one) => {
      const result = results.find((other) => other.name === one)
      const ratio = !ours.includes(who) && result && ratioOf(result, results[i]!)
      return ratio ? ratioText(ratio) : ''
    })
    return [
      `  ${who}`,
      digits(ms.median),
      digits(ms.least),
      digits(ms.most),
      digits(flops / ms.median / 1e6),
      memory ? mebibytes(memory.rss) : '',
      cosine === undefined ? '' : cosine.toFixed(6),
      ...ratios,
    ]
  })
  const failed = rows.filter((row) => row.length === 2).map(([who, why]) => `${who}: ${why}\n`)
  return `\n${name}\n${table([head, ...rows.filter((row) => row.length > 2)])}${failed.join('')}`
}

export const ratioText = ({ median, least, most }: Spread) =>
  `${median.toFixed(2)}× (${least.toFixed(2)} … ${most.toFixed(2)})`

export function summaryText(summaries: readonly Summary[]): string {
  return `\n${table([
    ['how many times as fast', 'against', 'geometric mean', 'worst', 'case', 'cases'],
    ...summaries.map(({ ours, peer, geometricMean, worst, worstCase, cases }) => [
      ours,
      peer,
      `${geometricMean.toFixed(2)}×`,
      `${worst.toFixed(2)}×`,
      worstCase,
      `${cases}`,
    ]),
  ])}`
}
