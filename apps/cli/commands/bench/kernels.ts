import { type Command, Option } from 'commander'
import type { BenchDevice, KernelDtype, KernelOptions } from '../../../../bench/kernels/options.ts'
import { machine } from '../../../../bench/machine.ts'
import type { Cli } from '../../cli.ts'
import { exitCodes } from '../../exit-codes.ts'
import { choiceList, integer, labelList } from '../../options.ts'
import { withJsonFile } from '../../output/json-file.ts'
import { gpuOf } from '../../webgpu.ts'

interface Options {
  readonly op?: readonly string[]
  readonly shape?: readonly string[]
  readonly variant?: readonly string[]
  readonly dtype?: readonly KernelDtype[]
  readonly device?: BenchDevice | 'all'
  readonly threads?: number
  readonly quick?: boolean
  readonly json?: string
}

const operations = [
  ...['linear', 'attention', 'layer-norm', 'embedding', 'gated-linear-unit', 'rotary', 'patch-embed', 'mean-pool'],
  ...['l2-normalize', 'cast'],
]
const dtypes: readonly KernelDtype[] = ['f32', 'f16', 'q12', 'q8']

/** tables: to measure other kernels than ours */
export function benchKernelsCommand(cli: Cli, bench: Command, tables?: KernelOptions['tables']): void {
  bench
    .command('kernels')
    .description('time every variant of every kernel against what this machine can do at most')
    .addOption(new Option('--op <a,b,c>', `of ${operations.join(', ')}`).argParser(choiceList(operations)))
    .addOption(new Option('--shape <a,b,c>', 'as 512x768x3072: rows x in x out of linear').argParser(labelList))
    .addOption(
      new Option('--device <name>', 'default: wasm, and webgpu on a real graphics processor').choices([
        'reference',
        'wasm',
        'webgpu',
        'all',
      ]),
    )
    .addOption(new Option('--variant <a,b,c>', 'those with one of these in their name').argParser(labelList))
    .addOption(new Option('--dtype <a,b,c>', `of ${dtypes.join(', ')}`).argParser(choiceList(dtypes)))
    .addOption(new Option('--threads <n>', 'default: as many as the device can use').argParser(integer(1)))
    .option('--quick', 'fewer shapes and samples')
    .option('--json <file>', 'write the figures as JSON as well')
    .addHelpText(
      'after',
      `
Every variant is first compared with the reference device, on awkward cases and at the shape itself: one that is wrong is
reported and not timed. Shapes of attention are sequences x tokens, of the others rows x width.

Examples:
  bareclip bench kernels
  bareclip bench kernels --op linear --shape 512x768x3072 --dtype f32

Exit codes: 0 done, 1 a kernel is wrong, 2 wrong usage or no such device.`,
    )
    .action((options: Options) => kernels(cli, options, tables))
}

async function kernels(cli: Cli, options: Options, tables: KernelOptions['tables']): Promise<void> {
  const { print, messages, signal } = cli
  const { benchKernels } = await import('../../../../bench/kernels/kernels.ts')
  const { entriesText, risenText, targetText } = await import('../../../../bench/kernels/print.ts')
  const { device, threads, quick } = options
  const show = (text: string) => {
    messages.clear()
    return print(text)
  }
  await withJsonFile(options.json, async () => {
    const report = await benchKernels({
      ...{ machine: machine(), threads, quick, signal, gpu: gpuOf(device === 'all' ? 'webgpu' : (device ?? 'auto')) },
      operations: options.op ?? operations,
      shapes: options.shape,
      tables,
      variants: options.variant,
      dtypes: options.dtype,
      devices: device === 'all' ? ['reference', 'wasm', 'webgpu'] : device && [device],
      onTarget: (target) => show(targetText(target)),
      onRisen: (roofs, before) => show(risenText(roofs, before)),
      onEntries: (entries) => show(entriesText(entries)),
      onProgress: messages.progress,
    })
    messages.clear()
    if (report.kernels.some(({ verdict }) => verdict !== 'ok')) cli.exit(exitCodes.someFailed)
    return report
  })
}
