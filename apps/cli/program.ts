import { Command } from 'commander'
import type { Cli } from './cli.ts'
import { benchCommand } from './commands/bench.ts'
import { classifyCommand } from './commands/classify.ts'
import { embedCommand } from './commands/embed.ts'
import { infoCommand } from './commands/info.ts'
import { inspectCommand } from './commands/inspect.ts'
import { pixelsCommand } from './commands/pixels.ts'
import { quantizeCommand } from './commands/quantize.ts'
import { searchCommand } from './commands/search.ts'
import { synthCommand } from './commands/synth.ts'
import { tokenizeCommand } from './commands/tokenize.ts'
import { oneLine } from './messages.ts'
import { version } from './version.ts'

/** Commander says what is expected of an argument, but not what there is instead of an unknown one. */
function usageError(text: string): string {
  const message = text.replace(/^error: /, '')
  return /^unknown /.test(message) ? `${message}; --help lists what there is` : message
}

/** Without commands yet. Wrong usage is thrown as a CommanderError, after its message was written. */
export function emptyProgram(name: string, { stderr, messages, help }: Omit<Cli, 'program'>): Command {
  return new Command(name)
    .exitOverride()
    .configureOutput({
      writeOut: help,
      writeErr: (text) => stderr.write(text),
      outputError: (text) => messages.say(usageError(oneLine(text))),
    })
    .helpCommand(false)
}

export function createProgram(streams: Omit<Cli, 'program'>): Command {
  const program = emptyProgram('bareclip', streams)
    .description('Text and image embeddings with jina-clip-v1. Data goes to stdout, messages to stderr.')
    .version(version())
    .addHelpText(
      'after',
      `
Example:
  echo '{"text": "a red circle"}' | bareclip embed

Exit codes: 0 done, 1 some items failed (the others are written), 2 wrong usage or model not loadable.`,
    )
  const cli: Cli = { ...streams, program }
  embedCommand(cli)
  classifyCommand(cli)
  searchCommand(cli)
  tokenizeCommand(cli)
  pixelsCommand(cli)
  inspectCommand(cli)
  quantizeCommand(cli)
  synthCommand(cli)
  benchCommand(cli)
  infoCommand(cli)
  return program
}
