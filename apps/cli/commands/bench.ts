import type { Cli } from '../cli.ts'
import { benchModelCommand } from './bench/model.ts'
import { benchReportCommand } from './bench/report.ts'

export function benchCommand(cli: Cli): void {
  const bench = cli.program.command('bench').description('measure how fast a model runs here').helpCommand(false)
  benchModelCommand(cli, bench)
  benchReportCommand(cli, bench)
  bench.addHelpText('after', '\nExample:\n  bareclip bench model')
}
