import { BareclipError } from '../runtime/errors.ts'
import type { ModelDtype } from './dtype.ts'

export interface ItemError {
  readonly kind: 'text' | 'image'
  readonly index: number
  /** Number of items in the call. */
  readonly of: number
  readonly onError: 'throw' | 'keep'
}

/**
 * What became of a bad item. Errors that are not about the item (an abort, a bug) are always thrown; the item's own are
 * thrown with its place in the message, or returned where the caller keeps the other items.
 */
export function itemError({ kind, index, of, onError }: ItemError, error: unknown): BareclipError {
  if (!(error instanceof BareclipError)) throw error
  if (error.code === 'DISPOSED' || error.code === 'INVALID_ARGUMENT') throw error
  if (onError === 'keep') return error
  throw of > 1 ? new BareclipError(error.code, `${kind} ${index} of ${of}: ${error.message}`, { cause: error }) : error
}

/**
 * A quantised model gives NaN where an activation is no finite number or a row of them cannot be scaled; floats show NaN and
 * infinity as they come. vector: of one item
 */
export function requireFinite(dtype: ModelDtype, vector: Float32Array): void {
  if ((dtype !== 'q8' && dtype !== 'q12') || vector.every(Number.isFinite)) return
  throw new BareclipError(
    'NOT_FINITE',
    `its activations pass float32 or what ${dtype} can scale: load the model with dtype f32 or f16`,
  )
}
