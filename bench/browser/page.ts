import { BareclipError, messageOf } from '../../runtime/errors.ts'
import { benchKernels } from '../kernels/kernels.ts'
import { type BenchDevice, kernelDtypes, kernelOperations } from '../kernels/options.ts'
import type { KernelReport, KernelSettings } from '../kernels/report.ts'
import { type Here, lookAround } from './here.ts'
import { browserMachine } from './machine.ts'
import { type DeviceResult, element, reportOf, showResults } from './results.ts'

const version = document.querySelector('meta[name=bareclip-version]')?.getAttribute('content') ?? ''
const machine = browserMachine(version)

const byId = (id: string) => document.getElementById(id)!
const input = (id: string) => byId(id) as HTMLInputElement
const button = (id: string) => byId(id) as HTMLButtonElement

let report: KernelReport | undefined

function say(text: string, failed = false): void {
  const status = byId('status')
  status.textContent = text
  status.className = failed ? 'failed' : ''
}

function choices(
  id: string,
  names: readonly { readonly name: string; readonly on: boolean; readonly why?: string }[],
): void {
  byId(id).replaceChildren(
    ...names.map(({ name, on, why }) => {
      const box = Object.assign(element('input'), {
        type: 'checkbox',
        value: name,
        checked: on,
        disabled: why !== undefined,
      })
      const label = element('label')
      label.append(box, ` ${name}`)
      if (why !== undefined) label.title = why
      return label
    }),
  )
}

const chosen = (id: string) =>
  [...byId(id).querySelectorAll('input')].filter(({ checked }) => checked).map(({ value }) => value)

function showHere(here: Here): void {
  byId('here').replaceChildren(...here.lines.flatMap(([name, value]) => [element('dt', name), element('dd', value)]))
  byId('adapter').hidden = here.gpu !== true
  byId('features').textContent = here.features.join(', ') || 'no optional features'
  byId('limits').replaceChildren(...here.limits.map(([name, value]) => element('li', `${name}: ${value}`)))
  choices('devices', [
    { name: 'wasm', on: true },
    { name: 'webgpu', on: here.gpu === true && !here.software, ...(here.gpu !== true && { why: here.gpu }) },
    { name: 'reference', on: false },
  ])
}

async function run(signal: AbortSignal): Promise<void> {
  const devices = chosen('devices') as BenchDevice[]
  const shapes = input('shapes')
    .value.split(',')
    .map((one) => one.trim())
    .filter(Boolean)
  const threads = input('threads').value === '' ? undefined : input('threads').valueAsNumber
  const operations = chosen('operations')
  const dtypes = kernelDtypes.filter((dtype) => chosen('dtypes').includes(dtype))
  const quick = input('quick').checked
  if (devices.length === 0 || operations.length === 0 || dtypes.length === 0) {
    throw new BareclipError('INVALID_ARGUMENT', 'choose at least one device, one operation and one kind of weights')
  }
  const settings: KernelSettings = {
    operations,
    shapes,
    dtypes,
    variants: [],
    devices,
    threads: threads ?? null,
    quick,
  }
  const date = new Date().toISOString()
  const results: DeviceResult[] = []
  const show = () => {
    showResults(results, byId('rows'), byId('roofs'))
    report = reportOf(machine, date, settings, results)
    button('copy').disabled = button('download').disabled = report === undefined
  }
  const problems: string[] = []
  show()
  for (const device of devices) {
    let result: DeviceResult | undefined
    try {
      const whole = await benchKernels({
        ...{ machine, operations, dtypes, quick, threads, signal, devices: [device] },
        shapes: shapes.length > 0 ? shapes : undefined,
        gpu: async () => (navigator as { readonly gpu?: GPU }).gpu!,
        async onTarget({ info, roofs }) {
          result = { info, roofs, kernels: [] }
          results.push(result)
          show()
        },
        async onEntries(entries, { roofs }) {
          Object.assign(result!, { roofs: [...roofs], kernels: [...result!.kernels, ...entries] })
          show()
        },
        onProgress: (text) => say(text),
      })
      Object.assign(result!, { info: whole.device, roofs: whole.roofs, kernels: whole.kernels })
      show()
    } catch (error) {
      if (signal.aborted) throw error
      problems.push(`${device}: ${messageOf(error)}`) // the others still run
    }
  }
  const kernels = results.flatMap((result) => result.kernels)
  const wrong = kernels.filter(({ verdict }) => verdict !== 'ok').length
  const done = `Done: ${kernels.length} kernels, ${wrong === 0 ? 'all agree with the reference' : `${wrong} WRONG`}.`
  say([kernels.length > 0 ? done : 'Nothing was measured.', ...problems].join(' '), problems.length > 0 || wrong > 0)
}

let running: AbortController | undefined

async function start(event: Event): Promise<void> {
  event.preventDefault()
  if (running) return
  running = new AbortController()
  button('run').disabled = true
  button('stop').disabled = false
  try {
    await run(running.signal)
  } catch (error) {
    if (running.signal.aborted) say('Stopped. What was measured before can be copied.')
    else say(messageOf(error), true)
  } finally {
    running = undefined
    button('run').disabled = false
    button('stop').disabled = true
  }
}

const reportText = () => `${JSON.stringify(report, undefined, 2)}\n`

async function copy(): Promise<void> {
  try {
    await navigator.clipboard.writeText(reportText())
    say('Copied: paste it into a file, and `bareclip bench report FILE` draws it.')
  } catch (error) {
    say(`The browser did not let it be copied (${messageOf(error)}): take Download.`, true)
  }
}

function download(): void {
  const url = URL.createObjectURL(new Blob([reportText()], { type: 'application/json' }))
  const link = Object.assign(element('a'), { href: url, download: 'bareclip-kernels.json' })
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), 10_000)
}

choices(
  'operations',
  kernelOperations.map((name) => ({ name, on: true })),
)
choices(
  'dtypes',
  kernelDtypes.map((name) => ({ name, on: name === 'f32' || name === 'q8' })),
)
byId('form').addEventListener('submit', start)
button('stop').addEventListener('click', () => running?.abort(new Error('stopped')))
button('copy').addEventListener('click', copy)
button('download').addEventListener('click', download)
button('run').disabled = true
showHere(await lookAround(machine.runtime, machine.cores))
button('run').disabled = false
say('Ready.')
