import type { Tokenizer } from '../loaders/tokenizer/tokenizer.ts'
import type { TextTower } from '../models/tower.ts'
import { BareclipError, describe } from '../runtime/errors.ts'
import type { TextUsage } from './embeddings.ts'
import type { TextOptions } from './options.ts'

/** A text, or token ids as they are: nothing is added to them. */
export type TextInput = string | { readonly tokens: ArrayLike<number> }

/** What one text becomes: one sequence, or several that are averaged. */
export interface TextPlan {
  readonly sequences: readonly Sequence[]
  readonly usage: TextUsage
}

/** Tokens that are worked on: masked ones are gone, the others keep their positions. */
export interface Sequence {
  readonly ids: Int32Array
  readonly positions: Int32Array
}

export type LongText = Pick<Required<TextOptions>, 'maxTokens' | 'onLongText'> & {
  readonly maxTokens: number
  readonly onLongText: 'truncate' | 'error' | 'chunk-mean'
}

/** Throws INVALID_INPUT or TEXT_TOO_LONG. */
export function planText(input: TextInput, tokenizer: Tokenizer, tower: TextTower, settings: LongText): TextPlan {
  const { maxTokens, onLongText } = settings
  const parts: Int32Array[] = []
  let total: number
  if (typeof input === 'string') {
    const whole = tokenizer.encode(input, { maxTokens })
    total = whole.total
    if (whole.truncated && onLongText === 'chunk-mean') parts.push(...chunksOf(tokenizer, input, maxTokens))
    else parts.push(whole.ids)
  } else {
    const ids = tokensOf(input, tower.vocabulary)
    total = ids.length
    const step = onLongText === 'chunk-mean' ? ids.length : maxTokens
    for (let from = 0; from < Math.min(step, ids.length); from += maxTokens)
      parts.push(ids.subarray(from, from + maxTokens))
  }
  const truncated = total > maxTokens && onLongText !== 'chunk-mean'
  if (truncated && onLongText === 'error') {
    throw new BareclipError(
      'TEXT_TOO_LONG',
      `the text has ${total} tokens, more than maxTokens ${maxTokens}: raise maxTokens, or set onLongText to 'truncate' or 'chunk-mean'`,
    )
  }
  const sequences = parts.map((ids) => unmasked(ids, tower)).filter(({ ids }) => ids.length > 0)
  if (sequences.length === 0) {
    throw new BareclipError('INVALID_INPUT', 'no tokens to embed: the list is empty, or every token is padding')
  }
  return { sequences, usage: { tokens: parts.reduce((sum, ids) => sum + ids.length, 0), truncated } }
}

/** Pieces in windows of maxTokens - 2, each between [CLS] and [SEP] */
function chunksOf(tokenizer: Tokenizer, text: string, maxTokens: number): Int32Array[] {
  const pieces = tokenizer.pieces(text)
  const window = maxTokens - 2
  if (window < 1)
    throw new BareclipError('INVALID_ARGUMENT', "maxTokens should be at least 3 with onLongText 'chunk-mean'")
  return Array.from({ length: Math.ceil(pieces.length / window) }, (_, i) => {
    const piece = pieces.subarray(i * window, (i + 1) * window)
    return Int32Array.of(tokenizer.ids.cls, ...piece, tokenizer.ids.sep)
  })
}

function tokensOf(input: unknown, vocabulary: number): Int32Array {
  const expected = 'a text should be a string or { tokens: [ids] }'
  if (typeof input !== 'object' || input === null || !('tokens' in input)) {
    throw new BareclipError('INVALID_INPUT', `${expected}, found ${describe(input)}`)
  }
  const { tokens } = input
  if (!Array.isArray(tokens) && !ArrayBuffer.isView(tokens)) {
    throw new BareclipError('INVALID_INPUT', `${expected}, found tokens: ${describe(tokens)}`)
  }
  const list: readonly unknown[] = Array.isArray(tokens) ? tokens : Array.from(tokens as unknown as ArrayLike<unknown>)
  return Int32Array.from(list, (id, i) => {
    if (typeof id !== 'number' || !Number.isInteger(id) || id < 0 || id >= vocabulary) {
      throw new BareclipError(
        'INVALID_INPUT',
        `token ${i} should be an integer from 0 to ${vocabulary - 1} (the vocabulary), found ${describe(id)}`,
      )
    }
    return id
  })
}

function unmasked(ids: Int32Array, { padId, vocabulary }: TextTower): Sequence {
  const outside = ids.find((id) => id >= vocabulary)
  if (outside !== undefined) {
    throw new BareclipError(
      'INVALID_INPUT',
      `the tokenizer made id ${outside}, the model knows ids below ${vocabulary}: tokenizer.json and weights do not belong together`,
    )
  }
  const positions = Int32Array.from(ids.keys()).filter((position) => ids[position] !== padId)
  return { ids: ids.filter((id) => id !== padId), positions }
}
