import { BareclipError } from '../runtime/errors.ts'

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
