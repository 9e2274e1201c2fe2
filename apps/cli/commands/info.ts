import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { chooseDevice } from '../../../clip/choose-device.ts'
import { defaultModel } from '../../../clip/load.ts'
import { messageOf } from '../../../runtime/errors.ts'
import type { Cli } from '../cli.ts'
import { version } from '../version.ts'
import { gpuOf } from '../webgpu.ts'

export function infoCommand(cli: Cli): void {
  cli.program
    .command('info')
    .description('print version, runtime, cores, devices and why, default model, as JSON')
    .addHelpText('after', '\nExample:\n  bareclip info')
    .action(() => info(cli))
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
