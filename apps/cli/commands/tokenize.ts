import { Argument, Option } from 'commander'
import { defaultModel } from '../../../clip/load.ts'
import { loadTokenizer } from '../../../clip/parts.ts'
import type { Tokenizer } from '../../../loaders/tokenizer/tokenizer.ts'
import type { Cli } from '../cli.ts'
import { exitCodes } from '../exit-codes.ts'
import { type Entry, readBatches } from '../input/entries.ts'
import { openInput } from '../input/open-input.ts'
import { integer, type ModelOption, modelOption } from '../options.ts'
import { errorJson } from '../output/rows.ts'
import { printLines } from '../print.ts'

interface Options extends ModelOption {
  readonly maxTokens?: number
}

export function tokenizeCommand(cli: Cli): void {
  cli.program
    .command('tokenize')
    .description('turn texts into token ids; loads no weights')
    .addArgument(new Argument('[file]', 'NDJSON: {"text": "…"}; - is stdin').default('-'))
    .addOption(modelOption())
    .addOption(
      new Option('--max-tokens <n>', 'keep so many, [CLS] and [SEP] included (default: all)').argParser(integer(2)),
    )
    .addHelpText(
      'after',
      `
Writes {"index", "ids", "tokens"} per text, in order; "tokens" are the vocabulary's entries, and "truncated": true says
that --max-tokens cut some. A line that is no text gives {"index", "error": {"code", "message"}}.

Example:
  echo '{"text": "a red circle"}' | bareclip tokenize`,
    )
    .action((file: string, options: Options) => tokenize(cli, file, options))
}

async function tokenize(cli: Cli, file: string, { model, maxTokens }: Options): Promise<void> {
  const { signal, messages, print } = cli
  const input = await openInput(cli, file)
  let done = 0
  let failed = 0
  try {
    const tokenizer = await loadTokenizer(model ?? defaultModel(), { signal })
    for await (const batch of readBatches(input.chunks, ['text'])) {
      await printLines(print, tokenLines(tokenizer, batch, maxTokens))
      signal.throwIfAborted()
      done += batch.length
      failed += batch.filter(({ error }) => error).length
      messages.progress(`texts: ${done}`)
    }
  } finally {
    input.close()
  }
  if (failed === 0) return
  messages.say(`${failed} of ${done} lines failed`)
  cli.exit(exitCodes.someFailed)
}

function* tokenLines(tokenizer: Tokenizer, batch: readonly Entry[], maxTokens: number | undefined): Generator<string> {
  for (const entry of batch) yield JSON.stringify({ index: entry.index, ...encode(tokenizer, entry, maxTokens) })
}

function encode(tokenizer: Tokenizer, { item, error }: Entry, maxTokens: number | undefined) {
  if (error) return { error: errorJson(error) }
  const { ids, truncated } = tokenizer.encode('text' in item ? item.text : '', { maxTokens })
  return {
    ids: [...ids],
    tokens: Array.from(ids, (id) => tokenizer.token(id)),
    ...(truncated && { truncated }),
  }
}
