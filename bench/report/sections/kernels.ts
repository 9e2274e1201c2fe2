import { softwareNote } from '../../software.ts'
import { drawRoofline, type Limits, type RooflinePoint, roofLimits } from '../charts/roofline.ts'
import { commandOf } from '../commands.ts'
import type { Chart } from '../draw.ts'
import { figure, milliseconds, percent, plural, slug } from '../format.ts'
import { html, type Markup } from '../html.ts'
import { headFacts, namesOf, sourceOf } from '../names.ts'
import type { From } from '../read.ts'
import type { KernelsReport, Roof, TimedKernel, WrongKernel } from '../schemas/kernels.ts'
import type { Part, Section } from '../section.ts'
import { type Cell, table } from '../table.ts'
import type { Tones } from '../tones.ts'

type Kernel = TimedKernel | WrongKernel

interface Panel extends From<KernelsReport> {
  readonly name: string
  readonly device: string
  /** It computes on the processor. */
  readonly software: boolean
  readonly roofs: readonly Roof[]
  /** In the order of the table, which numbers them. */
  readonly kernels: readonly Kernel[]
}

/** A roofline and a table for each device of each file. */
export function kernelsSection(files: readonly From<KernelsReport>[], tones: Tones): Section | undefined {
  const panels = panelsOf(files, tones)
  if (panels.length === 0) return undefined
  const drawn = panels.map((panel) => ({ panel, points: pointsOf(panel) }))
  // the same axes for a device in all files; another device is another world
  const charts = drawn.flatMap(({ panel, points }) => {
    const alike = drawn.filter((other) => other.panel.device === panel.device)
    const limits = roofLimits(
      alike.flatMap((one) => one.points),
      alike.flatMap((one) => one.panel.roofs),
    )
    return limits ? [chartOf(panel, points, limits, tones)] : []
  })
  const parts: Part[] = [alarm(panels), { charts, whole: true }]
  parts.push(...panels.flatMap((panel) => [roofTable(panel), kernelTable(panel)]))
  return { id: 'kernels', title: 'Kernels', parts }
}

function panelsOf(files: readonly From<KernelsReport>[], tones: Tones): Panel[] {
  const panels = files.flatMap((from) => {
    const devices = [...new Set(from.report.kernels.map(({ device }) => device))]
    return devices.map((device) => ({
      ...from,
      device,
      software: (from.report.devices ?? [from.report.device]).some(
        (info) => info.device === device && info.adapter?.software,
      ),
      roofs: from.report.roofs.filter((roof) => roof.device === undefined || roof.device === device),
      kernels: inOrder(
        from.report.kernels.filter((kernel) => kernel.device === device),
        tones,
      ),
    }))
  })
  const names = namesOf(
    panels.map(({ file, device, report }) => ({ file, facts: [device, ...headFacts(report)] })),
    1,
  )
  return panels.map((panel, i) => ({ ...panel, name: names[i]! }))
}

/** By operation, case and dtype; the wrong ones first, then the fastest. */
function inOrder(kernels: readonly Kernel[], tones: Tones): Kernel[] {
  const rank = (kernel: Kernel) => (isTimed(kernel) ? -1 / kernel.ms.median : -Infinity)
  const compare = new Intl.Collator('en', { numeric: true }).compare
  return [...kernels].sort(
    (a, b) =>
      tones.get(a.operation)! - tones.get(b.operation)! ||
      compare(a.name, b.name) ||
      compare(a.dtype, b.dtype) ||
      rank(a) - rank(b) ||
      0,
  )
}

const isTimed = (kernel: Kernel): kernel is TimedKernel => kernel.wrong === undefined

const caseOf = ({ operation, name, dtype }: Kernel) => JSON.stringify([operation, name, dtype])

/** The fastest variant of each case. */
function bestOf(kernels: readonly Kernel[]): Set<Kernel> {
  const best = new Map<string, TimedKernel>()
  for (const kernel of kernels) {
    if (!isTimed(kernel)) continue
    const other = best.get(caseOf(kernel))
    if (!other || kernel.ms.median < other.ms.median) best.set(caseOf(kernel), kernel)
  }
  return new Set(best.values())
}

function pointsOf({ kernels }: Panel): RooflinePoint[] {
  const best = bestOf(kernels)
  const several = new Set(kernels.map(({ dtype }) => dtype)).size > 1
  return kernels.flatMap((kernel, i) => {
    if (!isTimed(kernel) || kernel.flops === 0 || kernel.gflopsPerSecond === 0) return []
    const { operation, name, dtype, variant, ms, flops, bytes, gflopsPerSecond, ofRoof, roof } = kernel
    const intensity = flops / bytes
    if (!(intensity > 0 && intensity < Infinity)) return []
    const row = `${i + 1}`
    const label = [name, ...(several ? [dtype] : [])].join(' ')
    return [
      {
        ...{ operation, intensity, gflopsPerSecond, best: best.has(kernel) },
        labels: best.has(kernel) ? [`${row} ${operation} ${label}`, `${row} ${label}`, row] : [row],
        title: `${row}: ${operation} ${name} ${dtype}, ${variant}\n${milliseconds(ms.median)}, ${figure(gflopsPerSecond)} GFLOP/s, ${percent(ofRoof)} of ${roof}`,
      },
    ]
  })
}

function chartOf(panel: Panel, points: readonly RooflinePoint[], limits: Limits, tones: Tones): Chart {
  return {
    id: `roofline-${slug(panel.name)}`,
    title: `Roofline: ${panel.name}`,
    reading:
      'Lines are what this device reached in the same run with nothing else to do; a kernel on its line cannot be faster, and its distance below is what is left to win. Filled: the fastest variant of its case; hollow: the others. Numbers are rows of the table.',
    commands: [commandOf('kernels', panel.report)],
    source: sourceOf(panel.report),
    draw: (canvas) => drawRoofline({ points, roofs: panel.roofs, limits, tones }, canvas),
  }
}

/** What nobody may overlook, and what one would quote. */
function alarm(panels: readonly Panel[]): Markup {
  const lines = panels.map(({ name, software, kernels }) => {
    const timed = kernels.filter(isTimed)
    const wrong = kernels.length - timed.length
    const top = [...bestOf(kernels)].filter(isTimed).sort((a, b) => b.gflopsPerSecond - a.gflopsPerSecond)[0]
    return html`<p${(wrong > 0 || software) && html` class="alarm"`}><strong>${name}</strong>: ${
      software && html`<strong>${softwareNote}</strong>; `
    }${
      wrong > 0 &&
      html`<strong>${wrong} of ${plural(kernels.length, 'kernel')} ${wrong === 1 ? 'is' : 'are'} WRONG</strong> and not timed. `
    }${wrong === 0 && `all ${plural(kernels.length, 'kernel')} agree with the reference. `}${
      top &&
      `Fastest: ${top.operation} ${top.name} in ${top.dtype} (${top.variant}), ${figure(top.gflopsPerSecond)} GFLOP/s, ${percent(top.ofRoof)} of its roof.`
    }</p>
`
  })
  return html`${lines}`
}

const roofTable = ({ name, roofs }: Panel) =>
  table(
    `Roofs: ${name}`,
    ['roof', '#rate', 'how it was measured'],
    roofs.map((roof): Cell[] => [roof.name, `${figure(roof.rate)} ${roof.unit}`, roof.how]),
  )

function kernelTable(panel: Panel): Markup {
  const best = bestOf(panel.kernels)
  const gpu = panel.kernels.some((kernel) => isTimed(kernel) && kernel.gpuMs)
  const head = [
    ...['#', 'kernel', 'dtype', 'variant', '#ms', '#least … most'],
    ...[...(gpu ? ['#GPU ms'] : []), '#GFLOP/s', '#GB/s', 'bound', 'of its roof'],
  ]
  const rows = panel.kernels.map((kernel, i) => {
    const names = html`<th scope="row" class="n">${i + 1}</th><td>${kernel.operation} <b>${kernel.name}</b></td><td>${kernel.dtype}</td><td>${kernel.variant}</td>`
    if (!isTimed(kernel)) {
      return html`<tr class="wrong">${names}<td colspan="${head.length - 4}"><strong>WRONG</strong>, not timed: ${kernel.wrong}</td></tr>
`
    }
    const { ms, gpuMs, gflopsPerSecond, gbPerSecond, bound, roof, ofRoof } = kernel
    const numbers = [figure(ms.median), `${figure(ms.least)} … ${figure(ms.most)}`]
    const rates = [figure(gflopsPerSecond), figure(gbPerSecond)]
    const cells = [...numbers, ...(gpu ? [gpuMs ? figure(gpuMs.median) : ''] : []), ...rates]
    const share = Math.min(100, ofRoof * 100).toFixed(1)
    return html`<tr${best.has(kernel) && html` class="best"`}>${names}${cells.map((cell) => html`<td class="n">${cell}</td>`)}<td>${bound}</td><td class="share" title="${roof}"><i style="width:${share}%"></i><span>${percent(ofRoof)}</span></td></tr>
`
  })
  return table(`Every kernel: ${panel.name} (bold: the fastest variant of its case)`, head, rows)
}
