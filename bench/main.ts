// npm run bench -- accuracy DIR | scales | peers DIR | scaling DIR | load DIR, or what `bareclip bench` has: kernels, model, compare;
// docs/bench.md has one command per figure
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { messageOf } from '../runtime/errors.ts'
import { benchProgram } from './program.ts'

const args = process.argv.slice(2)
/** Subcommands of `bareclip bench`, run from the sources. */
const ofTheCli = ['kernels', 'model', 'compare']
if (ofTheCli.includes(args[0] ?? '')) {
  const cli = fileURLToPath(new URL('../apps/cli/main.ts', import.meta.url))
  const { status } = spawnSync(process.execPath, ['--import', 'tsx', cli, 'bench', ...args], { stdio: 'inherit' })
  process.exitCode = status ?? 1
} else {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130)) // removes temporary files
  try {
    await benchProgram().parseAsync(args, { from: 'user' })
  } catch (error) {
    console.error(messageOf(error))
    process.exitCode = 2
  }
}
