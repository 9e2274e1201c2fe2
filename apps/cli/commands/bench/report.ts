import { mkdir, readFile, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import { chartFiles, reportPage } from '../../../../bench/report/page.ts'
import { type Inputs, readReports } from '../../../../bench/report/read.ts'
import { BareclipError, messageOf } from '../../../../runtime/errors.ts'
import type { Cli } from '../../cli.ts'
import { createAtomicFile } from '../../output/atomic-file.ts'

interface Options {
  readonly output?: string
  readonly svg?: string
}

/** Reports of thousands of kernels have a tenth of it. */
const largestReport = 64 * 2 ** 20

export function benchReportCommand(cli: Cli, bench: Command): void {
  bench
    .command('report')
    .description('draw the figures that --json wrote, as one HTML page')
    .argument('<files...>', 'what bench … --json wrote; several of the same command stand side by side')
    .option('-o, --output <file>', 'the page (default: report.html; none with --svg alone)')
    .option('--svg <dir>', 'write each chart as an SVG file into this folder as well')
    .addHelpText(
      'after',
      `
Examples:
  bareclip bench model --json model.json && bareclip bench report model.json
  bareclip bench report results/*.json -o report.html --svg charts`,
    )
    .action((files: readonly string[], options: Options) => report(cli, files, options))
}

async function report({ messages, signal }: Cli, files: readonly string[], { output, svg }: Options): Promise<void> {
  const page = output ?? (svg === undefined ? 'report.html' : undefined)
  const overwritten = page !== undefined && files.find((file) => resolve(file) === resolve(page))
  if (overwritten) {
    throw new BareclipError('INVALID_ARGUMENT', `${overwritten} is a report to read: give --output another name`)
  }
  const inputs = await inputsOf(files)
  signal.throwIfAborted()
  if (page !== undefined) {
    await write(page, await reportPage(inputs))
    messages.say(`wrote ${page}`)
  }
  signal.throwIfAborted()
  if (svg === undefined) return
  const charts = await chartFiles(inputs)
  await mkdir(svg, { recursive: true }).catch((cause) => {
    throw new BareclipError('WRITE_FAILED', `cannot make the folder ${svg}: ${messageOf(cause)}`, { cause })
  })
  for (const { name, text } of charts) await write(join(svg, name), text)
  messages.say(`wrote ${charts.map(({ name }) => join(svg, name)).join(', ') || 'no chart: there is none of these'}`)
}

async function inputsOf(files: readonly string[]): Promise<Inputs> {
  const texts: { name: string; text: string }[] = []
  for (const name of files) texts.push({ name, text: await textOf(name) })
  return readReports(texts)
}

async function textOf(file: string): Promise<string> {
  try {
    const { size } = await stat(file)
    if (size > largestReport) throw new Error(`it has ${size} bytes, a report at most ${largestReport}`)
    return await readFile(file, 'utf8')
  } catch (cause) {
    throw new BareclipError('READ_FAILED', `cannot read ${file}: ${messageOf(cause)}`, { cause })
  }
}

async function write(path: string, text: string): Promise<void> {
  const file = await createAtomicFile(path)
  try {
    await file.write(new TextEncoder().encode(text), 0)
    await file.commit()
  } finally {
    await file.discard()
  }
}
