import { Option } from 'commander'
import { type SynthSize, writeSynth } from '../../synth/checkpoint.ts'
import type { Cli } from '../cli.ts'
import { seed } from '../options.ts'

interface Options {
  readonly size: SynthSize
  readonly seed?: number
  readonly dtype: 'f32' | 'f16' | 'bf16'
  readonly outliers?: boolean
}

export function synthCommand(cli: Cli): void {
  cli.program
    .command('synth')
    .description('write a checkpoint of jina-clip-v1’s form with made-up weights, for tests and timing')
    .argument('<dir>', 'folder to write config.json, tokenizer.json and model.safetensors to')
    .addOption(
      new Option('--size <size>', 'full is that of jina-clip-v1')
        .choices(['full', 'tiny-a', 'tiny-b', 'tiny-e2e'])
        .makeOptionMandatory(),
    )
    .addOption(new Option('--seed <n>', 'decimal or 0x…').argParser(seed))
    .addOption(new Option('--dtype <dtype>', 'of the weights').choices(['f32', 'f16', 'bf16']).default('f32'))
    .option('--outliers', 'weights with heavy tails, as real ones have')
    .addHelpText('after', '\nExample:\n  bareclip synth /tmp/tiny --size tiny-e2e --seed 7')
    .action((dir: string, options: Options) => synth(cli, dir, options))
}

async function synth({ messages, signal }: Cli, dir: string, options: Options): Promise<void> {
  await writeSynth(dir, {
    ...options,
    signal,
    onProgress: (done: number, total: number) => messages.progress(`writing: ${Math.floor((100 * done) / total)} %`),
  })
}
