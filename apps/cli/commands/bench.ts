import type { Cli } from '../cli.ts'
import { benchCompareCommand } from './bench/compare.ts'
import { benchKernelsCommand } from './bench/kernels.ts'
import { benchModelCommand } from './bench/model.ts'

export function benchCommand(cli: Cli): void {
  const bench = cli.program
    .command('bench')
    .description('measure how fast kernels and models run here')
    .helpCommand(false)
  benchKernelsCommand(cli, bench)
  benchModelCommand(cli, bench)
  benchCompareCommand(cli, bench)
  bench.addHelpText('after', '\nExample:\n  bareclip bench kernels\n  bareclip bench model')
}
