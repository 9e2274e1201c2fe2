import type { Machine } from '../machine.ts'

/** Where a page runs: browsers do not say which processor. version: of bareclip. */
export function browserMachine(version: string): Machine & { readonly versions: Readonly<Record<string, string>> } {
  const { userAgent, hardwareConcurrency } = navigator
  return {
    runtime: browserName(userAgent),
    platform: /\(([^)]*)\)/.exec(userAgent)?.[1] ?? 'unknown',
    processor: 'unknown',
    cores: Math.max(1, hardwareConcurrency || 1),
    versions: { bareclip: version },
  }
}

/** Name and version, the special before the general: Edge says that it is Chrome, and Chrome that it is Safari. */
export function browserName(userAgent: string): string {
  for (const [sign, name] of [
    ['Edg', 'Edge'],
    ['OPR', 'Opera'],
    ['Firefox', 'Firefox'],
    ['HeadlessChrome', 'Chrome, headless,'],
    ['Chrome', 'Chrome'],
    ['Version', 'Safari'],
  ] as const) {
    const version = new RegExp(`\\b${sign}/([\\d.]+)`).exec(userAgent)?.[1]
    if (version) return `${name} ${version}`
  }
  return userAgent.slice(0, 100)
}
