import { type Command, CommanderError } from 'commander'
import { BareclipError, messageOf } from '../../runtime/errors.ts'
import type { Cli, Streams } from './cli.ts'
import { type ExitCode, exitCodes } from './exit-codes.ts'
import { createMessages } from './messages.ts'
import { ClosedPipe, createPrint } from './print.ts'
import { createProgram } from './program.ts'

export interface RunOptions {
  /** Print stack traces. */
  readonly debug?: boolean
  /** Of another set of commands. */
  readonly create?: (cli: Omit<Cli, 'program'>) => Command
}

/** One command, from its arguments to its exit code. Never rejects. */
export async function run(
  args: readonly string[],
  streams: Streams,
  { debug, create = createProgram }: RunOptions = {},
): Promise<ExitCode> {
  const { stdin, stdout, stderr, signal } = streams
  stdin.on('error', () => {}) // whoever reads it is told; before that nobody listens
  const messages = createMessages(stderr)
  const print = createPrint(stdout)
  let code: ExitCode = exitCodes.done
  let help = ''
  const program = create({
    ...{ stdin, stdout, stderr, signal, messages, print },
    help(text) {
      help += text
    },
    exit(chosen) {
      code = chosen
    },
  })
  try {
    const ended = await parse(program, args)
    if (help !== '') await print(help)
    return ended ?? code
  } catch (error) {
    if (error instanceof ClosedPipe) return exitCodes.done
    if (!signal.aborted) messages.say(explain(error))
    if (debug && error instanceof Error) stderr.write(`${error.stack}\n`)
    return exitCodes.failed
  } finally {
    messages.clear()
  }
}

/** Runs the command; or an exit code where the arguments asked for help or made no sense. */
async function parse(program: Command, args: readonly string[]): Promise<ExitCode | undefined> {
  try {
    await program.parseAsync(args, { from: 'user' })
    return undefined
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    return error.exitCode === 0 ? exitCodes.done : exitCodes.failed
  }
}

function explain(error: unknown): string {
  if (error instanceof BareclipError) return error.message
  return `unexpected error, with DEBUG=1 it says where: ${messageOf(error)}`
}
