import type { ExplainedKernel, Explanation } from './explain.ts'
import { profileText } from './profile-text.ts'
import { digits } from './table.ts'

/** For a terminal: lines of text, the last with its end. */
export function explanationText({ device, startup, operations, sample }: Explanation): string {
  const { adapter, threads } = device
  const where = adapter ? adapter.description : `${threads} thread${threads === 1 ? '' : 's'}`
  const lines = [`${device.device}: ${where}`, `  why: ${device.reason}`]
  if (adapter) {
    lines.push(`  features: ${adapter.features.join(', ') || 'none'}`)
    lines.push(
      `  limits: ${Object.entries(adapter.limits)
        .map(([name, value]) => `${name} ${value}`)
        .join(', ')}`,
    )
  }
  if (startup) {
    lines.push(`  at the start: ${digits(startup.compileMs)} ms compiling, ${digits(startup.selfTestMs)} ms self-test`)
  }
  lines.push('', 'what runs')
  for (const { operation, kernels } of operations) {
    lines.push(`  ${operation}`, ...kernels.map((kernel) => `    ${kernelText(kernel)}`))
  }
  const text = `${lines.join('\n')}\n`
  if (!sample) return text
  const { firstMs, ms, profileMs, clock, ...profile } = sample
  const heading = `\nsample: ${digits(ms)} ms, the first call ${digits(firstMs)} ms; times below: clock ${clock}\n`
  return text + heading + profileText({ ...profile, ms: profileMs })
}

function kernelText({ kernel, why, compileMs, checked }: ExplainedKernel): string {
  const notes = [
    ...(why === undefined ? [] : [why]),
    ...(compileMs === undefined ? [] : [`compiled in ${digits(compileMs)} ms`]),
    ...(checked ? [] : ['not run by the self-test']),
  ]
  return notes.length === 0 ? kernel : `${kernel}: ${notes.join('; ')}`
}
