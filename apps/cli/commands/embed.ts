import { Argument, Option } from 'commander'
import type { Clip } from '../../../clip/clip.ts'
import { BareclipError } from '../../../runtime/errors.ts'
import type { Cli } from '../cli.ts'
import { type EmbedSettings, embedBatch } from '../embed-batch.ts'
import { exitCodes } from '../exit-codes.ts'
import { readBatches } from '../input/entries.ts'
import { openInput } from '../input/open-input.ts'
import { loadModel } from '../model.ts'
import { type DeviceOptions, deviceOptions, integer, outputFile } from '../options.ts'
import { type OutputFile, openRowOutput, type RowOutput } from '../output/row-output.ts'

interface EmbedOptions extends DeviceOptions {
  readonly output?: OutputFile
  readonly dimensions?: number
  readonly normalize: boolean
  readonly maxTokens?: number
  readonly onLongText: 'error' | 'truncate' | 'chunk-mean'
}

export function embedCommand(cli: Cli): void {
  deviceOptions(cli.program.command('embed').description('embed texts and pictures, one item a line'))
    .addArgument(
      new Argument('[file]', 'NDJSON: {"text": "…"} or {"image": "path"} or {"tokens": [ids]}; - is stdin').default(
        '-',
      ),
    )
    .addOption(
      new Option('--output <file>', '.ndjson, .npy or .safetensors; a failed item is NaN in the last two').argParser(
        outputFile,
      ),
    )
    .addOption(new Option('--dimensions <d>', 'keep the first d components').argParser(integer(1)))
    .option('--no-normalize', 'do not scale embeddings to length 1')
    .addOption(
      new Option('--max-tokens <n>', 'of a text, [CLS] and [SEP] included (default: 8192)').argParser(integer(2)),
    )
    .addOption(
      new Option('--on-long-text <what>', 'for a text of more tokens')
        .choices(['error', 'truncate', 'chunk-mean'])
        .default('truncate'),
    )
    .addHelpText(
      'after',
      `
Writes {"index", "embedding", "tokens", "truncated"} or {"index", "error": {"code", "message"}} per item, in order.

Example:
  bareclip embed items.ndjson --model jina-clip-v1 --output embeddings.npy`,
    )
    .action((file: string, options: EmbedOptions) => embed(cli, file, options))
}

async function embed(cli: Cli, file: string, options: EmbedOptions): Promise<void> {
  const { signal, messages } = cli
  const input = await openInput(cli, file)
  let output: RowOutput | undefined
  try {
    output = await openRowOutput(cli, options.output)
    using clip = await loadModel(cli, options)
    const { dimensions, normalize, maxTokens, onLongText } = options
    if (maxTokens === 2 && onLongText === 'chunk-mean') {
      throw new BareclipError('INVALID_ARGUMENT', '--max-tokens should be at least 3 with --on-long-text chunk-mean')
    }
    const settings = { dimensions, normalize, maxTokens, onLongText, signal }
    await checkSettings(clip, settings)
    const counts = await embedAll(cli, clip, input.chunks, output, settings)
    signal.throwIfAborted()
    await output.commit()
    if (counts.failed === 0) return
    messages.say(`${counts.failed} of ${counts.done} items failed`)
    cli.exit(exitCodes.someFailed)
  } finally {
    input.close()
    await output?.discard()
  }
}

/** Options that do not suit the model are refused before the input is read. */
async function checkSettings(clip: Clip, settings: EmbedSettings): Promise<void> {
  await clip.encodeText([], settings)
}

async function embedAll(
  { messages }: Cli,
  clip: Clip,
  input: AsyncIterable<Uint8Array>,
  output: RowOutput,
  settings: EmbedSettings,
): Promise<{ done: number; failed: number }> {
  const writer = output.writer(settings.dimensions ?? clip.info.dimensions)
  let done = 0
  let failed = 0
  const fail = (index: number, error: BareclipError) => {
    failed++
    if (!output.tellsErrors) messages.say(`item ${index}: ${error.message}`)
  }
  for await (const batch of readBatches(input, ['text', 'image', 'tokens'])) {
    const rows = await embedBatch(clip, batch, settings)
    for (const { index, error } of rows) if (error) fail(index, error)
    await writer.write(rows)
    done += batch.length
    messages.progress(`items: ${done}`)
  }
  await writer.finish()
  return { done, failed }
}
