import { fileURLToPath } from 'node:url'
import { type Command, Option } from 'commander'
import { type AllOptions, benchAll } from '../../bench/all.ts'
import { type BenchCase, benchCases } from '../../bench/cases.ts'
import { benchLoad } from '../../bench/load.ts'
import { machine } from '../../bench/machine.ts'
import { type Part, parts } from '../../bench/parts/items.ts'
import { benchParts } from '../../bench/parts/parts.ts'
import { type BenchDtype, benchPeers, dtypes, type PeersOptions, peerNames } from '../../bench/peers/peers.ts'
import { requireFullModel } from '../../bench/peers/stage.ts'
import { gpuPlaces } from '../../bench/peers/webgpu.ts'
import { benchScales } from '../../bench/scales.ts'
import { benchScaling } from '../../bench/scaling.ts'
import { defaultThreads } from '../../runtime/wasm/threads.ts'
import type { Cli } from '../cli/cli.ts'
import { benchCommands } from '../cli/commands/bench.ts'
import { exitCodes } from '../cli/exit-codes.ts'
import { benchCaseList, choiceList, integer } from '../cli/options.ts'
import { withJsonFile } from '../cli/output/json-file.ts'
import { emptyProgram } from '../cli/program.ts'

interface Shared {
  readonly threads: number
  readonly node: string
  readonly limit: number
  readonly json?: string
}

interface Rounds extends Shared {
  readonly cases: readonly BenchCase[]
  readonly rounds: number
}

/** `npm run bench -- …`: the commands of `bareclip bench`, and those that take other programs or the repository to measure. */
export function benchProgram(streams: Omit<Cli, 'program'>): Command {
  const program = emptyProgram('npm run bench --', streams)
  const cli: Cli = { ...streams, program }
  benchCommands(cli, program)
  const { print, signal } = cli

  program
    .command('all')
    .description('kernels, model and parts; with a full-size model peers and load; and a page of all that')
    .argument('[dir]', 'folder that `bareclip synth DIR --size full` wrote')
    .option('-o, --output <dir>', 'for the reports and the page', 'results')
    .option('--quick', 'fewer shapes, cases and samples', false)
    .action(async (dir: string | undefined, options: Pick<AllOptions, 'output' | 'quick'>) => {
      if (dir !== undefined) requireFullModel(dir)
      const main = fileURLToPath(new URL('main.ts', import.meta.url))
      const code = await benchAll(main, { ...options, dir, print, signal })
      if (code > 0) cli.exit(exitCodes.someFailed)
      await print(
        dir === undefined
          ? '\nbeside onnxruntime: npm run bench -- all DIR, after bareclip synth DIR --size full\n'
          : '',
      )
    })

  const peers = program.command('peers').description('ours beside onnxruntime, each in its own process, in turn')
  shared(rounds(peers))
    .addOption(listOption('--dtypes <a,b,c>', 'of ours', dtypes, dtypes))
    .addOption(listOption('--peers <a,b,c>', 'beside it', peerNames, ['web-f32', 'node-f32', 'web-q8']))
    .addOption(listOption('--places <a,b>', 'for webgpu', gpuPlaces, gpuPlaces))
    .option('--force', 'try what memory will probably not do for', false)
    .action((dir: string, options: Rounds & Pick<PeersOptions, 'dtypes' | 'peers' | 'places' | 'force'>) =>
      write(cli, options, 'peers', async () => {
        const report = await benchPeers(dir, { ...options, print, signal })
        return { report, measured: report.cases.flatMap(({ results }) => results.filter(isOurs)) }
      }),
    )

  shared(rounds(program.command('scaling').description('one thread beside several')))
    .addOption(dtypeOption())
    .action((dir: string, options: Rounds & { dtype: BenchDtype }) =>
      write(cli, options, 'scaling', async () => {
        const report = await benchScaling(dir, { ...options, print, signal })
        return { report, measured: report.cases.flatMap(({ results }) => results) }
      }),
    )

  processes(program.command('parts').description('matmul, softmax, layer norm, loader, decoders, tokenizer'), 1)
    .addOption(listOption('--parts <a,b,c>', 'what to compare', parts, parts))
    .addOption(new Option('--rounds <n>', 'measured rounds, after one that is not').argParser(integer(1)).default(7))
    .action((options: Shared & { parts: Part[]; rounds: number }) =>
      write(cli, options, 'parts', async () => {
        const report = await benchParts({ ...options, print, signal })
        return { report, measured: report.parts.flatMap(({ contenders }) => contenders.filter(isOurs)) }
      }),
    )

  shared(program.command('load').description('from a warm disk to the first embedding of 16 tokens'))
    .addOption(dtypeOption())
    .addOption(new Option('--runs <n>', 'processes').argParser(integer(1)).default(5))
    .action((dir: string, options: Shared & { dtype: BenchDtype; runs: number }) =>
      write(cli, options, 'load', async () => ({ report: await benchLoad(dir, { ...options, print, signal }) })),
    )

  program
    .command('scales')
    .description('q8 and q12: what a scale per 64 columns costs against one per row, and what it is worth')
    .action(() => benchScales(print))
  return program
}

function shared(command: Command): Command {
  return processes(command.argument('<dir>', 'folder that `bareclip synth DIR --size full` wrote'), defaultThreads())
}

function processes(command: Command, threads: number): Command {
  return command
    .addOption(new Option('--threads <n>', 'of every contender that has any').argParser(integer(1)).default(threads))
    .addOption(new Option('--node <path>', 'Node binary to measure under').default(process.execPath, 'this one'))
    .addOption(
      new Option('--limit <s>', 'seconds that loading or one call may take').argParser(integer(1)).default(120),
    )
    .option('--json <file>', 'write the figures as JSON as well')
}

function rounds(command: Command): Command {
  const names = benchCases.map(({ name }) => name)
  return command
    .addOption(
      new Option('--cases <a,b,c>', `of ${names.join(', ')}`)
        .argParser(benchCaseList)
        .default(benchCases, 'all of them'),
    )
    .addOption(new Option('--rounds <n>', 'measured rounds, after one that is not').argParser(integer(1)).default(5))
}

const dtypeOption = () => new Option('--dtype <dtype>').choices(dtypes).default('f32')

const listOption = <T extends string>(flags: string, what: string, choices: readonly T[], fallback: readonly T[]) =>
  new Option(flags, `${what}: ${choices.join(', ')}`)
    .argParser(choiceList(choices))
    .default(fallback, fallback.join(','))

const isOurs = ({ name }: { readonly name: string }) => name.startsWith('ours')

interface Outcome {
  readonly report: object
  /** Of ours: a failure of a peer is none of the bench. */
  readonly measured?: readonly { readonly failure?: string }[]
}

/** schema: bareclip-bench-<what>-1 */
function write(cli: Cli, { json, ...options }: Shared, what: string, task: () => Promise<Outcome>): Promise<void> {
  const { cases, ...others } = options as Partial<Rounds>
  const settings = { ...others, ...(cases && { cases: cases.map(({ name }) => name) }) }
  const head = { schema: `bareclip-bench-${what}-1`, machine: machine(), date: new Date().toISOString(), settings }
  return withJsonFile(json, async () => {
    const { report, measured = [] } = await task()
    if (measured.some(({ failure }) => failure !== undefined)) cli.exit(exitCodes.someFailed)
    return { ...head, ...report }
  })
}
