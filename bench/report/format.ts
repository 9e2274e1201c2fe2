import type { Spread } from '../statistics.ts'

/** Three digits that count: 0.00123, 4.56, 78.9, 1234, 1.2e+21. */
export function figure(value: number): string {
  const size = Math.abs(value)
  if (size === 0) return '0'
  if (size >= 1e9 || size < 1e-4) return value.toExponential(1).replace('e+', 'e')
  return size >= 100 ? value.toFixed(0) : trimmed(value.toPrecision(3))
}

const trimmed = (text: string) => (text.includes('.') ? text.replace(/\.?0+$/, '') : text)

/** For axes: 10000 → 10k. */
export function tick(value: number): string {
  const size = Math.abs(value)
  if (size >= 1e4 && size < 1e6) return `${trimmed((value / 1e3).toPrecision(3))}k`
  if (size >= 1e6 && size < 1e9) return `${trimmed((value / 1e6).toPrecision(3))}M`
  return figure(value)
}

export const ratio = (value: number) => `${value >= 100 ? figure(value) : value.toFixed(2)}×`

export const ratioSpread = ({ median, least, most }: Spread) =>
  `${ratio(median)} (${ratio(least).slice(0, -1)} … ${ratio(most).slice(0, -1)})`

export const percent = (share: number) =>
  `${share * 100 >= 1e6 ? figure(share * 100) : (share * 100).toFixed(share < 0.0995 ? 1 : 0)} %`

export const milliseconds = (ms: number) => (ms >= 10_000 ? `${figure(ms / 1000)} s` : `${figure(ms)} ms`)

export const mebibytes = (bytes: number) => `${figure(bytes / 2 ** 20)} MiB`

export const plural = (count: number, noun: string) => `${count} ${noun}${count === 1 ? '' : 's'}`

/** Names of files and ids: letters, digits and hyphens. */
export const slug = (text: string) =>
  text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
    .slice(0, 60) || 'chart'
