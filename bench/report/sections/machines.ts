import { html, type Markup } from '../html.ts'
import { type Inputs, kinds } from '../read.ts'
import type { Head } from '../schemas/head.ts'
import type { Section } from '../section.ts'
import { table } from '../table.ts'

/** One line per file: what was measured, where, with what. */
export function machinesSection(inputs: Inputs): Section {
  const rows = kinds.flatMap((kind) =>
    inputs[kind].map(({ file, report }) => {
      const { runtime, processor, cores, platform } = report.machine
      return [
        ...[file, kind, `${processor}, ${cores} ${cores === 1 ? 'core' : 'cores'}; ${platform}`, runtime],
        ...[
          versionsOf(report),
          report.machine.commit ?? '—',
          report.date?.replace('T', ' ').slice(0, 16) ?? '—',
          settingsOf(report),
        ],
      ]
    }),
  )
  const head = ['file', 'what', 'machine', 'runtime', 'versions', 'commit', 'date', 'settings']
  const used = [
    ...inputs.kernels.flatMap(({ file, report }) =>
      (report.devices ?? [report.device]).map((device) => ({ file, device })),
    ),
    ...inputs.model.map(({ file, report: { device } }) => ({ file, device })),
  ]
  const devices = used.map(({ file, device }) => [
    ...[file, `${device.device}, ${device.threads} ${device.threads === 1 ? 'thread' : 'threads'}`],
    ...[
      device.adapter?.description ?? '—',
      device.variants.map((pair) => pair.join(' ')).join(', ') || '—',
      device.reason,
    ],
    features(device.adapter),
  ])
  const parts: Markup[] = [table('Where and with what', head, rows)]
  if (devices.length > 0) {
    parts.push(table('Devices', ['file', 'device', 'adapter', 'variants', 'why', 'features and limits'], devices))
  }
  return { id: 'machines', title: 'Machine, versions, settings', parts }
}

function versionsOf({ version, machine }: Head): string {
  const versions = machine.versions ?? (version ? [['bareclip', version] as const] : [])
  return versions.map((pair) => pair.join(' ')).join(', ') || '—'
}

const settingsOf = ({ settings }: Head) =>
  (settings ?? []).flatMap(([name, value]) => (value === '' ? [] : `${name} ${value}`)).join(', ') || '—'

function features(adapter: Inputs['kernels'][number]['report']['device']['adapter']): Markup | string {
  if (!adapter) return '—'
  const limits = adapter.limits.map(([name, value]) => html`<br>${name} ${value}`)
  return html`<details><summary>${adapter.features.length} features, ${limits.length} limits</summary>${adapter.features.join(', ')}${limits}</details>`
}
