import { InvalidArgumentError, Option } from 'commander'
import { quantizeFolder } from '../../quantize/quantize-folder.ts'
import type { Cli } from '../cli.ts'

interface Options {
  readonly dtype: 'f16' | 'q12' | 'q8'
  readonly output: string
  readonly force?: boolean
}

export function quantizeCommand(cli: Cli): void {
  cli.program
    .command('quantize')
    .description('write a model again with smaller weights')
    .argument('<model>', 'folder with config.json, model.safetensors and tokenizer.json')
    .addOption(
      new Option('--dtype <dtype>', 'a half, a half but faster, a third of the size')
        .choices(['f16', 'q12', 'q8'])
        .makeOptionMandatory(),
    )
    .addOption(new Option('--output <dir>', 'folder to write to').argParser(folder).makeOptionMandatory())
    .option('--force', 'replace the model that is in the output folder')
    .addHelpText('after', '\nExample:\n  bareclip quantize jina-clip-v1 --dtype q8 --output jina-clip-v1-q8')
    .action((model: string, options: Options) => quantize(cli, model, options))
}

function folder(value: string): string {
  if (value === '') throw new InvalidArgumentError('It should be the path of a folder.')
  return value
}

async function quantize({ messages, signal }: Cli, model: string, { output, ...options }: Options): Promise<void> {
  const { before, after, unused } = await quantizeFolder(model, output, {
    ...options,
    signal,
    onProgress: ({ done, total }) => messages.progress(`writing: ${Math.floor((100 * done) / total)} %`),
  })
  if (unused.length > 0) messages.say(`left out, as the model does not use them: ${unused.join(', ')}`)
  const share = ((100 * after) / before).toFixed(1)
  messages.say(`model.safetensors: ${before} bytes before, ${after} as ${options.dtype}: ${share} %`)
}
