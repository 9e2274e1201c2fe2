import { digits, mebibytes, table } from '../table.ts'
import type { CaseReport } from './measure.ts'
import type { LoadReport, ModelBenchReport } from './model.ts'
import type { ProfileRow } from './profile.ts'

export function loadText({ machine, model, device, load }: LoadReport): string {
  const variants = Object.entries(device.variants).map(([name, value]) => `${name} ${value}`)
  const threads = `${device.threads} thread${device.threads === 1 ? '' : 's'}`
  const stages = load.stages.map(({ stage, ms }) => `${stage} ${digits(ms)} ms`)
  return [
    `${machine.runtime}; ${machine.processor}, ${machine.cores} cores`,
    `${model.name}: ${model.dtype} on ${[device.device, threads, ...variants].join(', ')}`,
    `loaded in ${digits(load.ms)} ms: ${stages.join(', ')}`,
    '',
  ].join('\n')
}

export function caseText(report: CaseReport): string {
  const { name, texts, tokens, images, ms, msWhole, tokensPerSecond, imagesPerSecond, profile } = report
  const what = images > 0 ? count(images, 'image') : `${count(texts, 'text')}, ${count(tokens, 'token')}`
  const rate =
    imagesPerSecond === undefined ? `${digits(tokensPerSecond!)} tokens/s` : `${digits(imagesPerSecond)} images/s`
  const whole = msWhole && `  attention leaving nothing out: ${digits(msWhole.median)} ms`
  const lines = [
    '',
    `${name}: ${what}`,
    `  ${digits(ms.median)} ms (${digits(ms.least)} … ${digits(ms.most)}), ${rate}, ${digits(report.gflopsPerSecond)} GFLOP/s`,
    ...(whole ? [whole] : []),
    '',
  ]
  return lines.join('\n') + (profile ? profileText(profile) : '  this device cannot time single commands\n')
}

/** Parts are listed under an operation that has several. */
function profileText({ ms, operations, parts }: NonNullable<CaseReport['profile']>): string {
  const rows = operations.flatMap((operation) => {
    const own = parts.filter((part) => part.operation === operation.operation)
    return [
      cells(operation.operation, operation, ms),
      ...(own.length > 1 ? own.map((part) => cells(`  ${part.shapes}`, part, ms)) : []),
    ]
  })
  const rest = ms - operations.reduce((sum, operation) => sum + operation.ms, 0)
  return table([
    ['  commands one by one', 'calls', 'ms', 'share', 'GFLOP/s', 'GB/s'],
    ...rows,
    ['  between commands and before', '', digits(rest), share(rest, ms)],
    ['  in all', '', digits(ms)],
  ])
}

function cells(name: string, { calls, ms, flops, bytes }: ProfileRow, total: number): string[] {
  return [`  ${name}`, `${calls}`, digits(ms), share(ms, total), digits(flops / ms / 1e6), digits(bytes / ms / 1e6)]
}

const share = (ms: number, total: number) => `${((100 * ms) / total).toFixed(1)} %`

export function memoryText({ memory }: ModelBenchReport): string {
  const { weights, scratch, peak, rss, peakRss } = memory
  return `
memory: weights ${mebibytes(weights)}, scratch ${mebibytes(scratch)}, together at most ${mebibytes(peak)}
process: ${mebibytes(rss)} resident, at most ${mebibytes(peakRss)}
`
}

const count = (number: number, noun: string) => `${number} ${noun}${number === 1 ? '' : 's'}`
