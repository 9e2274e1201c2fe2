import { spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { BareclipError, messageOf } from '../runtime/errors.ts'
import type { Print } from './table.ts'

export interface AllOptions {
  /** The full-size model, which the peers' graphs fit; without it the demonstration model is measured, beside no peer. */
  readonly dir?: string | undefined
  /** A folder. */
  readonly output: string
  readonly quick: boolean
  readonly signal: AbortSignal
  readonly print: Print
}

/** Commands of the bench, in the order in which they run; each but the last writes a report for the last. */
export function commandsFor({ dir, output, quick }: Pick<AllOptions, 'dir' | 'output' | 'quick'>): string[][] {
  const file = (name: string) => join(output, `${name}.json`)
  const few = (...args: readonly string[]) => (quick ? args : [])
  const measured = [
    ['kernels', ...few('--quick')],
    ['model', ...(dir ? ['--model', dir] : []), ...few('--cases', '1x16,1x128,image-1', '--runs', '2', '--cold', '1')],
    ['parts', ...few('--rounds', '2')],
    ...(dir
      ? [
          ['peers', dir, ...(quick ? few('--cases', '1x16,image-1', '--rounds', '2') : ['--cases', peerCases])],
          ['load', dir, ...few('--runs', '2')],
        ]
      : []),
  ]
  const reports = measured.map(([name]) => file(name!))
  return [
    ...measured.map((args, i) => [...args, '--json', reports[i]!]),
    ['report', ...reports, '--output', join(output, 'report.html')],
  ]
}

/** All of them take most of an hour. */
const peerCases = '1x16,1x128,1x512,8x128,mixed,image-1'

/** main: the program, of which each command is a process: what one leaves in memory is not counted for another. → its exit code */
export async function benchAll(main: string, options: AllOptions): Promise<number> {
  const { output, signal, print } = options
  try {
    mkdirSync(output, { recursive: true })
  } catch (cause) {
    throw new BareclipError('WRITE_FAILED', `cannot make the folder ${output}: ${messageOf(cause)}`, { cause })
  }
  let worst = 0
  for (const args of commandsFor(options)) {
    await print(`\n> npm run bench -- ${args.join(' ')}\n\n`)
    const code = await exitCodeOf(main, args, signal)
    signal.throwIfAborted()
    if (code > 1) throw new BareclipError('INVALID_ARGUMENT', `bench ${args[0]} ended with code ${code}`)
    worst = Math.max(worst, code)
  }
  return worst
}

function exitCodeOf(main: string, args: readonly string[], signal: AbortSignal): Promise<number> {
  signal.throwIfAborted()
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...process.execArgv, main, ...args], { stdio: 'inherit' })
    // The terminal sends its own SIGINT to all: another one would end it before it has cleaned up.
    const abort = () => child.kill('SIGTERM')
    signal.addEventListener('abort', abort)
    child.on('error', reject)
    child.on('close', (code) => {
      signal.removeEventListener('abort', abort)
      resolve(code ?? 2)
    })
  })
}
