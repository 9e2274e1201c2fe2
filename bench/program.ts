import { writeFileSync } from 'node:fs'
import { Command, InvalidArgumentError, Option } from 'commander'
import { messageOf } from '../runtime/errors.ts'
import { type BenchCase, benchCases, casesNamed } from './cases.ts'
import { benchLinear } from './linear.ts'
import { benchLoad } from './load.ts'
import { machine } from './machine.ts'
import { type Part, parts } from './parts/items.ts'
import { benchParts } from './parts/parts.ts'
import { gpuPlaces } from './peers/webgpu.ts'
import { type BenchDtype, benchPeers, dtypes, type PeersOptions, peerNames } from './peers.ts'
import { benchScales } from './scales.ts'
import { benchScaling } from './scaling.ts'
import { benchWebgpu } from './webgpu.ts'

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

const print = (text: string) => process.stdout.write(text)

/** `npm run bench -- …`: what takes other programs or the repository to measure; `bareclip bench` is the rest. */
export function benchProgram(): Command {
  const program = new Command('npm run bench --').helpCommand(false)
  program.command('linear').description('GFLOP/s of linear on the reference device').action(benchLinear)
  program
    .command('scales')
    .description('q8 and q12: GOP/s, and what a scale per 64 columns costs against one per row')
    .action(benchScales)
  program
    .command('webgpu')
    .description('every rung of linear and attention on a GPU, at the shapes of the towers')
    .option('--tiny', 'sizes that a driver on the processor can do', false)
    .addOption(new Option('--dtype <dtype>', 'of the weights').choices(['f32', 'f16']).default('f32'))
    .option('--runs <n>', 'measured runs of each', Number, 9)
    .action(benchWebgpu)

  const peers = program.command('peers').description('ours beside onnxruntime, each in its own process, in turn')
  shared(rounds(peers))
    .addOption(listOption('--dtypes <a,b,c>', 'of ours', dtypes, dtypes))
    .addOption(listOption('--peers <a,b,c>', 'beside it', peerNames, ['web-f32', 'node-f32', 'web-q8']))
    .addOption(listOption('--places <a,b>', 'for webgpu', gpuPlaces, gpuPlaces))
    .option('--force', 'try what memory will probably not do for', false)
    .action(async (dir: string, options: Rounds & Pick<PeersOptions, 'dtypes' | 'peers' | 'places' | 'force'>) => {
      write(options, 'peers', await benchPeers(dir, { ...options, print }))
    })

  shared(rounds(program.command('scaling').description('one thread beside several')))
    .addOption(dtypeOption())
    .action(async (dir: string, options: Rounds & { dtype: BenchDtype }) => {
      write(options, 'scaling', await benchScaling(dir, { ...options, print }))
    })

  const measuredParts = program.command('parts').description('matmul, softmax, layer norm, loader, decoders, tokenizer')
  processes(measuredParts, 1)
    .addOption(listOption('--parts <a,b,c>', 'what to compare', parts, parts))
    .addOption(new Option('--rounds <n>', 'measured rounds, after one that is not').argParser(count).default(7))
    .action(async (options: Shared & { parts: Part[]; rounds: number }) => {
      write(options, 'parts', await benchParts({ ...options, print }))
    })

  shared(program.command('load').description('from a warm disk to the first embedding of 16 tokens'))
    .addOption(dtypeOption())
    .addOption(new Option('--runs <n>', 'processes').argParser(count).default(5))
    .action(async (dir: string, options: Shared & { dtype: BenchDtype; runs: number }) => {
      write(options, 'load', await benchLoad(dir, { ...options, print }))
    })
  return program
}

function shared(command: Command): Command {
  return processes(command.argument('<dir>', 'folder that `bareclip synth DIR --size full` wrote'), 2)
}

function processes(command: Command, threads: number): Command {
  return command
    .addOption(new Option('--threads <n>', 'of every contender that has any').argParser(count).default(threads))
    .addOption(new Option('--node <path>', 'Node binary to measure under').default(process.execPath, 'this one'))
    .addOption(new Option('--limit <s>', 'seconds that loading or one call may take').argParser(count).default(120))
    .option('--json <file>', 'write the figures as JSON as well')
}

function rounds(command: Command): Command {
  const names = benchCases.map(({ name }) => name)
  return command
    .addOption(
      new Option('--cases <a,b,c>', `of ${names.join(', ')}`).argParser(cases).default(benchCases, 'all of them'),
    )
    .addOption(new Option('--rounds <n>', 'measured rounds, after one that is not').argParser(count).default(5))
}

const dtypeOption = () => new Option('--dtype <dtype>').choices(dtypes).default('f32')

function listOption<T extends string>(flags: string, what: string, choices: readonly T[], fallback: readonly T[]) {
  const option = new Option(flags, `${what}: ${choices.join(', ')}`).default(fallback, fallback.join(','))
  return option.argParser((value) =>
    value.split(',').map((name) => {
      const choice = choices.find((one) => one === name.trim())
      if (choice !== undefined) return choice
      throw new InvalidArgumentError(`Allowed are ${choices.join(', ')}, with commas between them.`)
    }),
  )
}

function cases(value: string): readonly BenchCase[] {
  try {
    return casesNamed(value.split(',').map((name) => name.trim()))
  } catch (error) {
    throw new InvalidArgumentError(messageOf(error))
  }
}

function count(value: string): number {
  if (/^[1-9]\d{0,8}$/.test(value)) return Number(value)
  throw new InvalidArgumentError('It should be an integer from 1.')
}

/** schema: bareclip-bench-<what>-1 */
function write({ json, ...options }: Shared, what: string, report: object): void {
  if (json === undefined) return
  const { threads, node, limit } = options
  const settings = { threads, node, limit }
  const head = { schema: `bareclip-bench-${what}-1`, machine: machine(), date: new Date().toISOString(), settings }
  const text = JSON.stringify({ ...head, ...report }, null, 2)
  writeFileSync(json, `${text}\n`)
}
