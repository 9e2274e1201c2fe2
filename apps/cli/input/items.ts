import { BareclipError, describe, messageOf } from '../../../runtime/errors.ts'

/** One line of input. Whether the tokens are ids of the model is found when they are embedded. */
export type Item = { readonly text: string } | { readonly tokens: readonly number[] } | { readonly image: string }

export type ItemKey = 'text' | 'tokens' | 'image'

/** Other keys than `keys` are ignored: a line may carry an id of the user's. Throws INVALID_INPUT. */
export function parseItem(line: string, keys: readonly ItemKey[]): Item {
  const found = parseObject(line, keys)
  const present = keys.filter((key) => Object.hasOwn(found, key))
  if (present.length !== 1) {
    throw invalid(`${expected(keys)}, found ${present.length === 0 ? 'none' : quoted(present, ' and ')}`)
  }
  const key = present[0]!
  const value = found[key]
  if (key === 'tokens') {
    if (!Array.isArray(value)) throw invalid(`"tokens" should be an array of token ids, found ${describe(value)}`)
    return { tokens: value }
  }
  if (typeof value !== 'string') throw invalid(`"${key}" should be a string, found ${describe(value)}`)
  if (key === 'text') return { text: value }
  if (value === '') throw invalid('"image" should be the path of a picture, found ""')
  return { image: value }
}

function parseObject(line: string, keys: readonly ItemKey[]): Partial<Record<ItemKey, unknown>> {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch (cause) {
    throw invalid(`${expected(keys)}; the line is not JSON: ${messageOf(cause)}`, { cause })
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  throw invalid(`${expected(keys)}, found ${describe(value)}`)
}

function expected(keys: readonly ItemKey[]): string {
  return `a line should be a JSON object with ${keys.length > 1 ? 'one of ' : ''}${quoted(keys, ', ')}`
}

function quoted(keys: readonly ItemKey[], separator: string): string {
  return keys.map((key) => `"${key}"`).join(separator)
}

function invalid(message: string, options?: { cause: unknown }): BareclipError {
  return new BareclipError('INVALID_INPUT', message, options)
}
