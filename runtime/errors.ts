/** Stable codes: a program tests these, a person reads the message. */
export type ErrorCode =
  | 'INVALID_ARGUMENT' // an option or argument of the wrong type or range
  | 'INVALID_INPUT' // one text or image that cannot be embedded as it is
  | 'TEXT_TOO_LONG' // more tokens than maxTokens, with onLongText: 'error'
  | 'INVALID_IMAGE' // truncated or corrupt image data
  | 'UNSUPPORTED_IMAGE' // a known image format or variant that is not decoded here
  | 'IMAGE_TOO_LARGE' // more pixels than the limit, found before decoding
  | 'INVALID_SAFETENSORS' // a weights file that breaks its format
  | 'MISSING_TENSOR' // a tensor that the model needs is not in the file
  | 'TENSOR_SHAPE' // a tensor has another shape than the model needs
  | 'INVALID_CONFIG' // config.json, preprocessor_config.json: not JSON or wrong types
  | 'UNSUPPORTED_MODEL' // a config that asks for something that is not implemented
  | 'INVALID_TOKENIZER' // tokenizer.json: not JSON or wrong structure
  | 'UNSUPPORTED_TOKENIZER' // a tokenizer of another kind
  | 'MODEL_NOT_FOUND' // no such folder, or a file of it is missing
  | 'READ_FAILED' // a file or URL could not be read
  | 'WRITE_FAILED' // an output could not be written
  | 'DEVICE_UNAVAILABLE' // the device asked for is not here
  | 'DEVICE_LOST' // the graphics processor or its driver went away
  | 'NOT_FINITE' // NaN or infinity in weights or activations that a quantised model cannot hold
  | 'DEVICE_FAILED' // the device broke during a call (a thread died); the next call may work
  | 'OUT_OF_MEMORY' // an allocation failed or passes a limit
  | 'SHAPE_MISMATCH' // an operation was given tensors that do not fit
  | 'DISPOSED' // use after dispose()

/**
 * Every error that a user can cause. The message says what was expected, what came, and what to do. An aborted call is
 * no error of ours: it rejects with `signal.reason`.
 */
export class BareclipError extends Error {
  override readonly name = 'BareclipError'
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.code = code
  }
}

/** Fails on a mistake of our own, never of the user's. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`bareclip bug: ${message}`)
}

/** What came, in few words, for an error message: `"abc"`, `12`, `an array of 3`, `undefined`. */
export function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)
  if (Array.isArray(value)) return `an array of ${value.length}`
  if (typeof value === 'object' && value !== null) return `an object (${value.constructor?.name ?? 'no prototype'})`
  if (typeof value === 'bigint') return `${value}n`
  return typeof value === 'function' ? 'a function' : String(value)
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
