import type { ByteSource } from '../../platform/platform.ts'
import { BareclipError, describe } from '../../runtime/errors.ts'
import { readExactly } from '../source.ts'
import { unitBytes } from './dtypes.ts'
import { dataStart, type Header, readHeader, type TensorEntry } from './header.ts'
import { quote } from './header-text.ts'

export type { SafetensorsDtype } from './dtypes.ts'
export type { TensorEntry } from './header.ts'

/** A piece of a tensor. `offset`: bytes from the tensor's start, a multiple of the element size. */
export interface TensorChunk {
  readonly offset: number
  readonly bytes: Uint8Array
}

/**
 * An open safetensors file whose header is valid. All bytes are little-endian and may be views: read only. `read` and
 * `chunks` reject with MISSING_TENSOR, READ_FAILED, OUT_OF_MEMORY, or the signal's reason.
 */
export interface Safetensors extends Header {
  readonly name: string
  /** The bytes of one whole tensor. */
  read(name: string, signal?: AbortSignal): Promise<Uint8Array>
  /**
   * The tensor in pieces of at most `maxBytes` bytes, in order; none if it has no elements. The next piece is read while
   * the caller works on one, so twice `maxBytes` are held.
   */
  chunks(name: string, maxBytes: number, signal?: AbortSignal): AsyncIterable<TensorChunk>
  /** Closes the source. */
  close(): Promise<void>
}

/**
 * Reads and checks the header; no tensor data yet. Format: the safetensors project's README.
 *
 * Rejects with INVALID_SAFETENSORS (the message names the file, the tensor, what was expected and found) and READ_FAILED;
 * then the source stays open and its owner closes it.
 */
export async function openSafetensors(
  source: ByteSource,
  { signal }: { signal?: AbortSignal | undefined } = {},
): Promise<Safetensors> {
  signal?.throwIfAborted()
  const { name: file, size } = source
  const start = dataStart(await readExactly(source, 0, Math.min(8, size), signal), file, size)
  const header = readHeader(await readExactly(source, 8, start - 8, signal), file, start, size)

  function find(name: string): TensorEntry {
    const entry = header.tensors.get(name)
    if (entry) return entry
    throw new BareclipError('MISSING_TENSOR', `${file}: no tensor ${quote(name)} among its ${header.tensors.size}`)
  }

  return {
    name: file,
    metadata: header.metadata,
    tensors: header.tensors,
    async read(name, signal) {
      const { begin, end } = find(name)
      return readExactly(source, begin, end - begin, signal)
    },
    async *chunks(name, maxBytes, signal) {
      const { dtype, begin, end } = find(name)
      const step = Math.floor(maxBytes / unitBytes(dtype)) * unitBytes(dtype)
      if (!(step > 0)) {
        throw new BareclipError(
          'INVALID_ARGUMENT',
          `expected maxBytes of at least one element, got ${describe(maxBytes)}`,
        )
      }
      const readAt = (at: number) => {
        const bytes = readExactly(source, at, Math.min(step, end - at), signal)
        bytes.catch(() => {}) // it may fail before anyone awaits it
        return bytes
      }
      let next = begin < end ? readAt(begin) : undefined
      try {
        for (let at = begin; next !== undefined; at += step) {
          const bytes = await next
          next = at + step < end ? readAt(at + step) : undefined
          yield { offset: at - begin, bytes }
        }
      } finally {
        await next?.catch(() => {}) // nothing is left in flight when the caller stops early
      }
    },
    close: () => source.close(),
  }
}
