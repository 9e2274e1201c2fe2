import { BareclipError, describe } from '../runtime/errors.ts'

export interface Progress {
  /** 'load' reads weights; 'compile' comes before it, on webgpu only. */
  readonly stage: 'compile' | 'load' | 'quantize' | 'text' | 'image'
  /** Never falls within a stage; equals `total` in its last call. May be a fraction. */
  readonly done: number
  readonly total: number
  readonly unit: 'kernels' | 'bytes' | 'tokens' | 'images'
}

export interface EncodeOptions {
  /** Keep the first d components, then normalise. jina-clip-v1 was not trained for it. Default: all. */
  readonly dimensions?: number | undefined
  /** Scale each row to length 1. Default: true. */
  readonly normalize?: boolean | undefined
  /**
   * What a bad item does. 'throw' (default): the call rejects with its error, whose message names the item. 'keep': its row
   * is NaN, its error is in `errors`, and the other items come out.
   */
  readonly onError?: 'throw' | 'keep' | undefined
  /** The call rejects with the signal's reason within 100 ms while the device works. */
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((progress: Progress) => void) | undefined
}

export interface TextOptions extends EncodeOptions {
  /** [CLS] and [SEP] included. Default: 8192. Upstream's encode_text cuts at 512 unless told otherwise. */
  readonly maxTokens?: number | undefined
  /**
   * For a text of more tokens. 'truncate' (default) keeps the first ones and says so in `usage`; 'error' is TEXT_TOO_LONG;
   * 'chunk-mean' embeds pieces of maxTokens and takes the mean of their pooled vectors, weighted by tokens, before
   * normalisation.
   */
  readonly onLongText?: 'truncate' | 'error' | 'chunk-mean' | undefined
}

export interface EncodeSettings {
  readonly dimensions: number
  readonly normalize: boolean
  readonly onError: 'throw' | 'keep'
}

const shared = ['dimensions', 'normalize', 'onError', 'signal', 'onProgress']
export const textOptionNames = [...shared, 'maxTokens', 'onLongText']
export const imageOptionNames = shared

/** Throws INVALID_ARGUMENT for an option of the wrong type or range, and for one that is not among `names`. */
export function encodeSettings(
  options: EncodeOptions,
  names: readonly string[],
  hidden: number,
  fallback: number,
): EncodeSettings {
  checkNames(options, names)
  const { dimensions = fallback, normalize = true, onError = 'throw' } = options
  if (!Number.isInteger(dimensions) || dimensions < 1 || dimensions > hidden) {
    throw invalid('dimensions', `an integer from 1 to ${hidden}`, dimensions)
  }
  if (typeof normalize !== 'boolean') throw invalid('normalize', 'true or false', normalize)
  oneOf('onError', onError, ['throw', 'keep'])
  return { dimensions, normalize, onError }
}

/** Throws INVALID_ARGUMENT where options are no object, for one that is not among `names`, and for a wrong signal or onProgress. */
export function checkNames(options: Pick<EncodeOptions, 'signal' | 'onProgress'>, names: readonly string[]): void {
  if (typeof options !== 'object' || options === null) throw invalid('options', 'an object', options)
  for (const name of Object.keys(options)) {
    if (!names.includes(name)) {
      throw new BareclipError('INVALID_ARGUMENT', `there is no option ${name}; there are ${names.join(', ')}`)
    }
  }
  const { signal, onProgress } = options
  if (signal !== undefined && typeof signal?.throwIfAborted !== 'function')
    throw invalid('signal', 'an AbortSignal', signal)
  if (onProgress !== undefined && typeof onProgress !== 'function')
    throw invalid('onProgress', 'a function', onProgress)
}

export function invalid(name: string, expected: string, found: unknown): BareclipError {
  return new BareclipError('INVALID_ARGUMENT', `${name} should be ${expected}, found ${describe(found)}`)
}

export function oneOf<T>(name: string, value: T, choices: readonly T[]): void {
  if (!choices.includes(value)) throw invalid(name, choices.map((choice) => `'${choice}'`).join(' or '), value)
}
