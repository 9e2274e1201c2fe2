import { type Command, InvalidArgumentError, Option } from 'commander'
import { mostItems } from '../../../../bench/precision/items.ts'
import {
  benchPrecision,
  type PrecisionDevice,
  precisionDevices,
  precisionDtypes,
} from '../../../../bench/precision/precision.ts'
import { precisionText } from '../../../../bench/precision/print.ts'
import type { Cli } from '../../cli.ts'
import { choiceList, integer, modelOption } from '../../options.ts'
import { withJsonFile } from '../../output/json-file.ts'
import { gpuOf } from '../../webgpu.ts'

interface Options {
  readonly model?: string
  readonly devices?: readonly PrecisionDevice[]
  readonly dtypes: readonly ('f32' | 'f16' | 'q12' | 'q8')[]
  readonly texts: number
  readonly images: number
  readonly threads?: number
  readonly truth?: string
  readonly json?: string
}

export function benchPrecisionCommand(cli: Cli, bench: Command): void {
  bench
    .command('precision')
    .description('each device and dtype beside float64: components, cosines, ranking')
    .addOption(modelOption())
    .addOption(
      new Option(
        '--devices <a,b,c>',
        `of ${precisionDevices.join(', ')} (default: those that do not take hours)`,
      ).argParser(choiceList(precisionDevices)),
    )
    .addOption(
      new Option('--dtypes <a,b,c>', `of ${precisionDtypes.join(', ')}`)
        .argParser(choiceList(precisionDtypes))
        .default(precisionDtypes, 'all of them'),
    )
    .addOption(new Option('--texts <n>', 'captions to embed and rank').argParser(items).default(100))
    .addOption(new Option('--images <n>', 'drawings to embed and rank').argParser(items).default(50))
    .addOption(new Option('--threads <n>', 'of the wasm device').argParser(integer(1)))
    .option('--truth <file>', 'keep what float64 gives here, or take it from here')
    .option('--json <file>', 'write the figures as JSON as well')
    .addHelpText('after', '\nExample:\n  bareclip bench precision --devices wasm --dtypes f32,q8')
    .action((options: Options) => precision(cli, options))
}

function items(value: string): number {
  const count = integer(2)(value)
  if (count <= mostItems) return count
  throw new InvalidArgumentError(`There are ${mostItems} at most.`)
}

async function precision({ print, messages, signal }: Cli, { json, ...options }: Options): Promise<void> {
  await withJsonFile(json, async () => {
    const gpu = gpuOf(options.devices?.includes('webgpu') ? 'webgpu' : 'auto')
    const report = await benchPrecision({ ...options, gpu, signal, onProgress: messages.progress })
    messages.clear()
    await print(precisionText(report))
    return report
  })
}
