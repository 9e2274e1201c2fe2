import { BareclipError } from '../../../runtime/errors.ts'
import { inBatches } from './batches.ts'
import { type Item, type ItemKey, parseItem } from './items.ts'
import { readLines } from './lines.ts'

/** One item of the input, with its place in it; blank lines do not count. */
export type Entry = { readonly index: number } & (
  | { readonly item: Item; readonly error?: undefined }
  | { readonly error: BareclipError; readonly item?: undefined }
)

/** Items of one batch, and characters of their lines: bounds memory. */
const limits = { items: 64, size: 16 * 2 ** 20, idleMs: 50 }

/** NDJSON, item by item, in batches. A line that is no item comes with its error. */
export async function* readBatches(
  input: AsyncIterable<Uint8Array>,
  keys: readonly ItemKey[],
): AsyncGenerator<readonly Entry[]> {
  let index = 0
  for await (const lines of inBatches(readItemLines(input), { ...limits, sizeOf })) {
    yield lines.map((line) => ({ index: index++, ...entryOf(line, keys) }))
  }
}

async function* readItemLines(input: AsyncIterable<Uint8Array>): AsyncGenerator<string | BareclipError> {
  for await (const line of readLines(input)) if (typeof line !== 'string' || line.trim() !== '') yield line
}

function sizeOf(line: string | BareclipError): number {
  return typeof line === 'string' ? line.length : 0
}

function entryOf(line: string | BareclipError, keys: readonly ItemKey[]): { item: Item } | { error: BareclipError } {
  if (typeof line !== 'string') return { error: line }
  try {
    return { item: parseItem(line, keys) }
  } catch (error) {
    if (!(error instanceof BareclipError)) throw error
    return { error }
  }
}
