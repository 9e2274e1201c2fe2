import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { Command } from 'commander'
import { chooseDevice } from '../../../clip/choose-device.ts'
import { explanationText } from '../../../clip/explanation-text.ts'
import { defaultModel } from '../../../clip/load.ts'
import { BareclipError, messageOf } from '../../../runtime/errors.ts'
import type { Cli } from '../cli.ts'
import { readImages } from '../input/image-files.ts'
import { loadModel, requireVision } from '../model.ts'
import { type DeviceOptions, deviceOptions } from '../options.ts'
import { version } from '../version.ts'
import { gpuOf } from '../webgpu.ts'

interface ExplainOptions extends DeviceOptions {
  readonly explain?: boolean
  readonly text?: string
  readonly image?: string
}

export function infoCommand(cli: Cli): void {
  deviceOptions(
    cli.program
      .command('info')
      .description('print version, runtime, cores, devices and why, default model, as JSON')
      .option('--explain', 'load a model, print which kernels run and why; the other options are for this')
      .option('--text <text>', 'embed it and print what each operation takes')
      .option('--image <file>', 'as --text'),
  )
    .addHelpText('after', '\nExample:\n  bareclip info')
    .action((options: ExplainOptions, command: Command) => {
      if (options.explain) return explain(cli, options)
      const [given] = command.options.filter((option) => command.getOptionValueSource(option.attributeName()) === 'cli')
      if (given) throw new BareclipError('INVALID_ARGUMENT', `${given.long} goes with --explain`)
      return info(cli)
    })
}

async function explain(cli: Cli, { text, image, ...options }: ExplainOptions): Promise<void> {
  const { print, signal } = cli
  let bytes: Uint8Array | undefined
  if (image !== undefined) {
    for await (const [file] of readImages([image], signal)) {
      if (file!.error) throw file!.error
      bytes = file!.bytes
    }
  }
  using clip = await loadModel(cli, options)
  if (bytes) requireVision(clip)
  await print(explanationText(await clip.explain({ text, image: bytes, signal })))
}

async function info({ print, stdout }: Cli): Promise<void> {
  const report = {
    version: version(),
    runtime: runtime(),
    cores: availableParallelism(),
    devices: await Promise.all((['reference', 'wasm', 'webgpu'] as const).map(deviceReport)),
    defaultModel: { name: 'shapes', path: fileURLToPath(defaultModel()) },
  }
  await print(`${JSON.stringify(report, undefined, stdout.isTTY ? 2 : undefined)}\n`)
}

async function deviceReport(name: 'reference' | 'wasm' | 'webgpu') {
  try {
    const { device } = await chooseDevice({ device: name, gpu: gpuOf(name) })
    const { threads, variants, adapter, reason } = device.info
    device.dispose()
    return { name, available: true, threads, variants, ...(adapter && { adapter }), reason }
  } catch (error) {
    return { name, available: false, reason: messageOf(error) }
  }
}

function runtime(): { name: 'node' | 'deno' | 'bun'; version: string } {
  const { node, deno, bun } = process.versions
  if (deno) return { name: 'deno', version: deno }
  return bun ? { name: 'bun', version: bun } : { name: 'node', version: node }
}
