import { ratioText } from '../peers/print.ts'
import { digits, table } from '../table.ts'
import type { PartReport } from './report.ts'

export function partText({ part, name, contenders }: PartReport): string {
  const unit = contenders.find((one) => one.unit !== undefined)?.unit ?? ''
  const timed = contenders.flatMap(({ name, ms, rate, ratio }) =>
    ms
      ? [
          [
            `  ${name}`,
            digits(ms.median),
            digits(ms.least),
            digits(ms.most),
            digits(rate!),
            ratio ? ratioText(ratio) : '',
          ],
        ]
      : [],
  )
  const failed = contenders.flatMap(({ name, failure }) => (failure === undefined ? [] : [`  ${name}: ${failure}\n`]))
  return `\n${part}, ${name}\n${table([['  ', 'ms', 'least', 'most', unit, 'ours is'], ...timed])}${failed.join('')}`
}
