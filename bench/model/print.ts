import { profileText } from '../../clip/profile-text.ts'
import { softwareLine } from '../software.ts'
import type { Spread } from '../statistics.ts'
import { digits, mebibytes } from '../table.ts'
import type { CaseReport } from './measure.ts'
import type { LoadReport, ModelBenchReport } from './model.ts'

export function loadText({ machine, model, device, load }: LoadReport): string {
  const variants = Object.entries(device.variants).map(([name, value]) => `${name} ${value}`)
  const threads = `${device.threads} thread${device.threads === 1 ? '' : 's'}`
  const stages = load.stages.map(({ stage, ms }) => `${stage} ${digits(ms)} ms`)
  return [
    `${machine.runtime}; ${machine.processor}, ${machine.cores} cores`,
    `${model.name}: ${model.dtype} on ${[device.device, threads, ...(device.adapter ? [device.adapter.description] : []), ...variants].join(', ')}`,
    `${softwareLine(device)}loaded in ${digits(load.ms)} ms: ${stages.join(', ')}`,
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

export function endText({ memory, coldStart }: ModelBenchReport): string {
  const times = ({ median, least, most }: Spread) => `${digits(median)} ms (${digits(least)} … ${digits(most)})`
  const cold = coldStart
    ? `cold start: a new process has its first embedding after ${times(coldStart.first)} and ends after ${times(coldStart.ms)}\n`
    : ''
  const { weights, scratch, peak, rss, peakRss } = memory
  return `
memory: weights ${mebibytes(weights)}, scratch ${mebibytes(scratch)}, together at most ${mebibytes(peak)}
process: ${mebibytes(rss)} resident, at most ${mebibytes(peakRss)}
${cold}`
}

const count = (number: number, noun: string) => `${number} ${noun}${number === 1 ? '' : 's'}`
