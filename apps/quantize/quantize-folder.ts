import { realpath, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type QuantizeOptions, type QuantizeResult, quantize } from '../../clip/quantize.ts'
import { openSource, readAll } from '../../loaders/source.ts'
import { BareclipError } from '../../runtime/errors.ts'
import { writeFolder } from '../write-folder.ts'

export interface QuantizeFolderOptions extends QuantizeOptions {
  /** Replace the model that is in the folder. Default: false. */
  readonly force?: boolean | undefined
}

const weights = 'model.safetensors'
const preprocessor = 'preprocessor_config.json'
/** config.json comes last: a folder without it is no model. */
const copied = ['tokenizer.json', preprocessor, 'config.json']

/**
 * Writes the model of one folder into another, its weights smaller, its other files as they are. What is in `output` besides a
 * model's files stays. Nothing appears under its name before everything is written.
 *
 * Rejects as `quantize` and `writeFolder` do, and with INVALID_ARGUMENT where `output` is the model itself or holds one.
 */
export async function quantizeFolder(
  model: string,
  output: string,
  { force = false, ...options }: QuantizeFolderOptions,
): Promise<QuantizeResult> {
  const { signal } = options
  await requirePlace(model, output, force)
  const files = await readFiles(model, signal)
  let result: QuantizeResult | undefined
  await writeFolder(output, [
    {
      name: weights,
      async content(write) {
        result = await quantize(model, options, write)
      },
    },
    ...[...files].map(([name, bytes]) => ({
      name,
      content: (write: (bytes: Uint8Array) => Promise<void>) => write(bytes),
    })),
  ])
  // One of the model that was there before would be read with this one.
  if (force && !files.has(preprocessor)) await rm(join(output, preprocessor), { force: true })
  return result!
}

async function requirePlace(model: string, output: string, force: boolean): Promise<void> {
  const place = await realpath(output).catch(() => undefined)
  if (place === undefined) return
  if (place === (await realpath(model).catch(() => undefined))) {
    throw new BareclipError('INVALID_ARGUMENT', `${output} is the model itself: choose another folder for the output`)
  }
  if (force) return
  for (const name of [weights, ...copied]) {
    if (await stat(join(output, name)).catch(() => undefined)) {
      throw new BareclipError(
        'INVALID_ARGUMENT',
        `${output} holds ${name} already: choose another folder, or replace the model there with --force`,
      )
    }
  }
}

/** Those that there are, by name. */
async function readFiles(model: string, signal: AbortSignal | undefined): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>()
  for (const name of copied) {
    try {
      const source = await openSource(`${model.replace(/\/+$/, '')}/${name}`, { signal })
      try {
        files.set(name, await readAll(source, { signal }))
      } finally {
        await source.close()
      }
    } catch (error) {
      // What cannot be done without is missed, and named, when the model is opened.
      if (!(error instanceof BareclipError) || error.code !== 'MODEL_NOT_FOUND') throw error
    }
  }
  return files
}
