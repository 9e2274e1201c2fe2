import { readFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { judgementText, requireComparable } from '../../../../bench/compare/compare.ts'
import { type Comparable, readReport } from '../../../../bench/compare/entries.ts'
import { isWorse, judge } from '../../../../bench/compare/judge.ts'
import { BareclipError, messageOf } from '../../../../runtime/errors.ts'
import type { Cli } from '../../cli.ts'
import { exitCodes } from '../../exit-codes.ts'

export function benchCompareCommand(cli: Cli, bench: Command): void {
  bench
    .command('compare')
    .description('say what moved between two reports of one machine, beyond the noise')
    .argument('<old.json>', 'what `bareclip bench kernels --json` or another bench wrote before')
    .argument('<new.json>', 'what the same command wrote now')
    .addHelpText(
      'after',
      `
Least times are compared, since what disturbs only adds; of kernels the processor's time, in which other processes do not count.
A time moved if it is off by more than the threshold, also relative to the median of all changes and to steady work that was
timed beside it, and if no sample of one is within the range of the other's. The threshold is 5 %, or 3.3 standard deviations of
all changes, or what the steady work varied by, whichever is most; above 300 % no time is judged. Operations, bytes, steps,
memory and what is wrong are compared exactly.

Exit codes: 0 nothing got worse, 1 something is slower, more, wrong or gone, 2 the reports cannot be compared.`,
    )
    .action(async (old: string, now: string) => {
      const before = await readComparable(old)
      const after = await readComparable(now)
      requireComparable(before, after)
      const judgement = judge(before, after)
      await cli.print(judgementText(before, after, judgement))
      if (judgement.changes.some(isWorse)) cli.exit(exitCodes.someFailed)
    })
}

async function readComparable(file: string): Promise<Comparable> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (cause) {
    throw new BareclipError('INVALID_ARGUMENT', `cannot read ${file}: ${messageOf(cause)}`, { cause })
  }
  return readReport(text, file)
}
