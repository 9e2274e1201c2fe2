import { readFile } from 'node:fs/promises'
import { safetensorsLength, writeSafetensors } from '../../loaders/safetensors/write.ts'
import { writeFolder } from '../write-folder.ts'
import { type SynthOptions, storedTensors, synthConfig, synthMetadata } from './model.ts'
import { preprocessorOf } from './presets.ts'
import { textSizes } from './tensors.ts'
import { cutTokenizer } from './tokenizer.ts'

export {
  type SynthConfig,
  type SynthDtype,
  type SynthOptions,
  type SynthSize,
  type SynthTensor,
  synthConfig,
  synthModel,
  synthTensors,
} from './model.ts'

/**
 * Writes a whole model folder: config.json, tokenizer.json, preprocessor_config.json and model.safetensors. Every weight is
 * a hash of seed, tensor name and index: no training is in it. The full size holds 891 MB as f32, half of it as f16.
 *
 * tiny-a and tiny-b have 512 rows of embeddings: their tokenizer.json is cut to as many tokens (see cutTokenizer).
 *
 * Rejects with INVALID_ARGUMENT, WRITE_FAILED, or the signal's reason; then nothing half-written is left.
 */
export async function writeSynth(folder: string, options: SynthOptions): Promise<void> {
  const config = synthConfig(options)
  const { signal, onProgress } = options
  signal?.throwIfAborted()
  const tensors = storedTensors(options).map(({ pieces, ...tensor }) => ({ ...tensor, bytes: pieces }))
  const tokenizer = await tokenizerJson(textSizes(config).vocabulary)
  await writeFolder(folder, [
    {
      name: 'model.safetensors',
      async content(write) {
        const total = safetensorsLength(tensors, synthMetadata)
        let done = 0
        await writeSafetensors(
          tensors,
          async (bytes) => {
            signal?.throwIfAborted()
            await write(bytes)
            done += bytes.length
            onProgress?.(done, total)
          },
          synthMetadata,
        )
      },
    },
    { name: 'tokenizer.json', content: (write) => write(tokenizer) },
    { name: 'preprocessor_config.json', content: (write) => write(json(preprocessorOf(config))) },
    { name: 'config.json', content: (write) => write(json(config)) },
  ])
}

/** The tokenizer for an embedding table of so many rows. */
async function tokenizerJson(vocabulary: number): Promise<Uint8Array> {
  const whole = await readFile(new URL('./tokenizer.json', import.meta.url))
  const parsed = JSON.parse(new TextDecoder().decode(whole))
  const cut = cutTokenizer(parsed, vocabulary)
  return cut === parsed ? whole : json(cut)
}

function json(value: unknown): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`)
}
