import type { Cli } from '../cli.ts'
import { benchModelCommand } from './bench/model.ts'
import { benchPrecisionCommand } from './bench/precision.ts'

export function benchCommand(cli: Cli): void {
  const bench = cli.program.command('bench').description('measure how fast a model runs here').helpCommand(false)
  benchModelCommand(cli, bench)
  benchPrecisionCommand(cli, bench)
  bench.addHelpText('after', '\nExample:\n  bareclip bench model')
}
