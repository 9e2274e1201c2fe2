import type { DeviceInfo } from '../../runtime/device.ts'
import { isTimed, type KernelEntry, type KernelReport, type KernelSettings, type Roof } from '../kernels/report.ts'
import type { Machine } from '../machine.ts'
import { figure, percent } from '../report/format.ts'

/** What one device gave, so far or in the end. */
export interface DeviceResult {
  info: DeviceInfo
  roofs: readonly Roof[]
  kernels: readonly KernelEntry[]
}

/** One report of several runs, a device each; undefined where there is nothing yet. */
export function reportOf(
  machine: Machine,
  date: string,
  settings: KernelSettings,
  results: readonly DeviceResult[],
): KernelReport | undefined {
  const done = results.filter(({ kernels }) => kernels.length > 0)
  if (done.length === 0) return undefined
  const devices = done.map(({ info }) => info)
  return {
    schema: 'bareclip-bench-kernels-1',
    ...{ machine, date, device: devices[0]!, devices },
    settings: { ...settings, devices: devices.map(({ device }) => device) },
    roofs: done.flatMap(({ roofs }) => roofs),
    kernels: done.flatMap(({ kernels }) => kernels),
  }
}

/** All rows and roofs, anew. Text goes in as text. */
export function showResults(results: readonly DeviceResult[], rows: HTMLElement, roofs: HTMLElement): void {
  rows.replaceChildren(...results.flatMap(({ kernels }) => kernels.map(rowOf)))
  roofs.replaceChildren(
    ...results.flatMap((result) =>
      result.roofs.map(({ device, name, rate, unit, how }) =>
        element('li', `${device}, ${name}: ${figure(rate)} ${unit} (${how})`),
      ),
    ),
  )
}

function rowOf(entry: KernelEntry): HTMLElement {
  const { device, operation, name, dtype, variant } = entry
  const row = element('tr')
  row.append(...[device, `${operation} ${name}`, dtype, variant].map((text) => element('td', text)))
  if (!isTimed(entry)) {
    row.className = 'wrong'
    const cell = element('td')
    cell.colSpan = 6
    cell.append(element('strong', 'WRONG'), `, not timed: ${entry.verdict.wrong}`)
    row.append(cell)
    return row
  }
  const { ms, gpuMs, gflopsPerSecond, gbPerSecond, ofRoof, roof } = entry
  const numbers = [
    figure(ms.median),
    `${figure(ms.least)} … ${figure(ms.most)}`,
    gpuMs ? figure(gpuMs.median) : '',
    figure(gflopsPerSecond),
    figure(gbPerSecond),
  ]
  row.append(...numbers.map((text) => Object.assign(element('td', text), { className: 'n' })))
  const share = Object.assign(element('td', percent(ofRoof)), { className: 'share', title: roof })
  const bar = element('i')
  bar.style.width = `${Math.min(100, ofRoof * 100)}%`
  share.append(bar)
  row.append(share)
  return row
}

export function element<K extends keyof HTMLElementTagNameMap>(name: K, text?: string): HTMLElementTagNameMap[K] {
  const made = document.createElement(name)
  if (text !== undefined) made.textContent = text
  return made
}
