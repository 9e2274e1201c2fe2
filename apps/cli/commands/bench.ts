import type { Command } from 'commander'
import type { Cli } from '../cli.ts'
import { benchBrowserOption } from './bench/browser.ts'
import { benchCompareCommand } from './bench/compare.ts'
import { benchKernelsCommand } from './bench/kernels.ts'
import { benchModelCommand } from './bench/model.ts'
import { benchPrecisionCommand } from './bench/precision.ts'
import { benchReportCommand } from './bench/report.ts'

export function benchCommand(cli: Cli): void {
  const bench = cli.program
    .command('bench')
    .description('measure how fast kernels and models run here')
    .helpCommand(false)
  benchCommands(cli, bench)
  bench.addHelpText(
    'after',
    `
Example:
  bareclip bench kernels --json kernels.json
  bareclip bench model --json model.json
  bareclip bench precision
  bareclip bench report kernels.json model.json -o report.html
  bareclip bench compare old.json new.json
  bareclip bench --browser

Beside onnxruntime, transformers.js, tfjs, jax-js and gpu.js: npm run bench -- all, in the repository.`,
  )
}

/** What an installed package can measure. */
export function benchCommands(cli: Cli, bench: Command): void {
  benchBrowserOption(cli, bench)
  benchKernelsCommand(cli, bench)
  benchModelCommand(cli, bench)
  benchPrecisionCommand(cli, bench)
  benchCompareCommand(cli, bench)
  benchReportCommand(cli, bench)
}
