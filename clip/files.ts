import { nameOf } from '../loaders/ranges.ts'
import { openSource, readAll } from '../loaders/source.ts'
import type { ByteSource } from '../platform/platform.ts'
import { BareclipError, describe, messageOf } from '../runtime/errors.ts'

/** Anything that holds a file's bytes: a path, a URL, a Blob or File, bytes in memory. */
export type FileInput = string | URL | Blob | ArrayBuffer | Uint8Array | ByteSource

/** A model file by file. JSON files may be given as the parsed object. */
export interface ModelFiles {
  readonly config: FileInput | Readonly<Record<string, unknown>>
  readonly tokenizer: FileInput | Readonly<Record<string, unknown>>
  readonly weights: FileInput
  /** Without it: the values of jina-clip-v1, at the image size of the config. */
  readonly preprocessor?: FileInput | Readonly<Record<string, unknown>>
}

export interface OpenModel {
  readonly name: string
  readonly config: unknown
  readonly tokenizer: unknown
  readonly preprocessor: unknown
  readonly weights: ByteSource
  /** Opens the weights once more; undefined where they came from memory or from a source of the caller's. */
  readonly reopen: ((signal: AbortSignal) => Promise<ByteSource>) | undefined
}

/** Far more than any tokenizer.json; a weights file given by mistake is not read whole. */
const maxJsonBytes = 64 * 2 ** 20

/**
 * Opens the files of a model: a folder (path or URL) or single files. Throws MODEL_NOT_FOUND where one is missing,
 * INVALID_CONFIG or INVALID_TOKENIZER where one is not JSON.
 */
export async function openModel(model: string | URL | ModelFiles, signal?: AbortSignal): Promise<OpenModel> {
  const { files, ...read } = await readModelFiles(model, signal)
  const weights = await openSource(files.weights, { signal })
  const { weights: input } = files
  const again = typeof input === 'string' || input instanceof URL || input instanceof Blob
  const reopen = again ? (signal: AbortSignal) => openSource(input, { signal }) : undefined
  return { name: typeof model === 'string' ? nameOfModel(model) : weights.name, ...read, weights, reopen }
}

/** The JSON files alone. Throws as openModel. */
export async function readModelFiles(model: string | URL | ModelFiles, signal?: AbortSignal) {
  const files = typeof model === 'string' || model instanceof URL ? await folder(model, signal) : checkedFiles(model)
  const config = await readJson(files.config, 'config.json', 'INVALID_CONFIG', signal)
  const tokenizer = await readJson(files.tokenizer, 'tokenizer.json', 'INVALID_TOKENIZER', signal)
  const preprocessor = await readPreprocessor(files, signal)
  return { files, config, tokenizer, preprocessor }
}

async function folder(model: string | URL, signal: AbortSignal | undefined): Promise<ModelFiles & { optional: true }> {
  const base = urlOf(model) ?? model
  const at = (file: string): string | URL => {
    if (!(base instanceof URL)) return `${base.replace(/\/+$/, '')}/${file}`
    const url = new URL(base) // with its query: a token, say
    url.pathname = `${url.pathname.replace(/\/+$/, '')}/${file}`
    return url
  }
  const config = await openSource(at('config.json'), { signal }).catch((cause: unknown) => {
    if (!(cause instanceof BareclipError) || cause.code !== 'MODEL_NOT_FOUND') throw cause
    throw new BareclipError(
      'MODEL_NOT_FOUND',
      `no model at ${nameOfModel(model)}: expected a folder with config.json, tokenizer.json and model.safetensors. ` +
        'A hub id is not downloaded: get these files from the model’s page and pass the folder or its URL',
      { cause },
    )
  })
  return {
    config,
    tokenizer: at('tokenizer.json'),
    weights: at('model.safetensors'),
    preprocessor: at('preprocessor_config.json'),
    optional: true,
  }
}

function urlOf(model: string | URL): URL | undefined {
  if (model instanceof URL) return model
  return /^https?:/i.test(model) && URL.canParse(model) ? new URL(model) : undefined
}

/** Without a query, which may hold a token. */
function nameOfModel(model: string | URL): string {
  const url = urlOf(model)
  return url?.protocol.startsWith('http') ? nameOf(url) : String(model)
}

function checkedFiles(files: unknown): ModelFiles {
  const expected = 'model should be a folder’s path or URL, or an object with config, tokenizer and weights'
  if (typeof files !== 'object' || files === null) {
    throw new BareclipError('INVALID_ARGUMENT', `${expected}; found ${describe(files)}`)
  }
  for (const key of ['config', 'tokenizer', 'weights']) {
    if (!(key in files)) throw new BareclipError('INVALID_ARGUMENT', `${expected}; ${key} is missing`)
  }
  return files as ModelFiles
}

async function readPreprocessor(files: ModelFiles & { optional?: true }, signal?: AbortSignal): Promise<unknown> {
  if (files.preprocessor === undefined) return undefined
  try {
    return await readJson(files.preprocessor, 'preprocessor_config.json', 'INVALID_CONFIG', signal)
  } catch (error) {
    if (files.optional && error instanceof BareclipError && error.code === 'MODEL_NOT_FOUND') return undefined
    throw error
  }
}

async function readJson(
  input: ModelFiles['config'],
  what: string,
  code: 'INVALID_CONFIG' | 'INVALID_TOKENIZER',
  signal?: AbortSignal,
): Promise<unknown> {
  if (!isFile(input)) return input
  const source = await openSource(input, { signal })
  try {
    const bytes = await readAll(source, { maxBytes: maxJsonBytes, signal })
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    if (cause instanceof SyntaxError || cause instanceof TypeError) {
      throw new BareclipError(code, `${what} (${source.name}) is not JSON: ${messageOf(cause)}`, { cause })
    }
    throw cause
  } finally {
    await source.close()
  }
}

function isFile(input: ModelFiles['config']): input is FileInput {
  return (
    typeof input === 'string' ||
    input instanceof URL ||
    input instanceof Blob ||
    input instanceof ArrayBuffer ||
    input instanceof Uint8Array ||
    (typeof input === 'object' && input !== null && 'read' in input && typeof input.read === 'function')
  )
}
