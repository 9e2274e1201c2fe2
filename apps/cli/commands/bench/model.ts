import { type Command, Option } from 'commander'
import { type BenchCase, benchCases, defaultCases } from '../../../../bench/cases.ts'
import { benchModel } from '../../../../bench/model/model.ts'
import { caseText, endText, loadText } from '../../../../bench/model/print.ts'
import type { Cli } from '../../cli.ts'
import { benchCaseList, type DeviceOptions, deviceOptions, integer } from '../../options.ts'
import { withJsonFile } from '../../output/json-file.ts'
import { gpuOf } from '../../webgpu.ts'

interface Options extends DeviceOptions {
  readonly cases?: readonly BenchCase[]
  readonly runs: number
  readonly cold: number
  readonly json?: string
}

export function benchModelCommand(cli: Cli, bench: Command): void {
  deviceOptions(bench.command('model').description('time a model and each of its operations'))
    .addOption(new Option('--cases <a,b,c>', `of ${nameList(benchCases)}; or all`).argParser(benchCaseList))
    .addOption(new Option('--runs <n>', 'measured calls of each case').argParser(integer(1)).default(5))
    .addOption(
      new Option('--cold <n>', 'processes to start anew, for the time to a first embedding')
        .argParser(integer(0))
        .default(3),
    )
    .option('--json <file>', 'write the figures as JSON as well')
    .addHelpText(
      'after',
      `
Without --cases: ${nameList(defaultCases)}.

Example:
  bareclip bench model --cases 1x16,image-1`,
    )
    .action((options: Options) => model(cli, options))
}

const nameList = (cases: readonly BenchCase[]) => cases.map(({ name }) => name).join(', ')

async function model({ print, messages, signal }: Cli, { json, ...options }: Options): Promise<void> {
  const show = (text: string) => {
    messages.clear()
    return print(text)
  }
  await withJsonFile(json, async () => {
    const report = await benchModel({
      ...options,
      gpu: gpuOf(options.device),
      signal,
      onLoad: (loaded) => show(loadText(loaded)),
      onCase: (measured) => show(caseText(measured)),
      onProgress: messages.progress,
    })
    await show(endText(report))
    return report
  })
}
