import { openFile, pathFromUrl } from '#platform'
import type { ByteSource } from '../platform/platform.ts'
import { BareclipError, describe, messageOf } from '../runtime/errors.ts'
import { nameOf, openRanges, request } from './ranges.ts'

export type SourceInput = string | URL | Blob | ArrayBuffer | Uint8Array | ByteSource

/**
 * Opens bytes wherever they are. A string that starts with http:// or https:// is a URL, any other string a path. A
 * ByteSource is handed through. Whoever opens a source closes it.
 *
 * A URL is read with HTTP range requests. From a server that ignores them and sends everything, the one download is kept
 * in memory until close(): reads stay random, at the price of the file's size.
 *
 * Rejects with MODEL_NOT_FOUND (no such file, or 404), READ_FAILED, INVALID_ARGUMENT, or the signal's reason.
 */
export async function openSource(
  input: SourceInput,
  { signal }: { signal?: AbortSignal | undefined } = {},
): Promise<ByteSource> {
  signal?.throwIfAborted()
  if (typeof input === 'string' && input !== '') {
    return /^https?:\/\//i.test(input) ? openUrl(parseUrl(input), signal) : openFile(input)
  }
  if (input instanceof URL) return openUrl(input, signal)
  if (input instanceof Blob) return blobSource(input)
  if (input instanceof Uint8Array) return bytesSource(input)
  // By tag: under some test runners an ArrayBuffer belongs to another realm.
  if (Object.prototype.toString.call(input) === '[object ArrayBuffer]') {
    return bytesSource(new Uint8Array(input as ArrayBuffer))
  }
  if (isByteSource(input)) return input
  throw new BareclipError(
    'INVALID_ARGUMENT',
    `expected a path, a URL, a Blob, an ArrayBuffer, a Uint8Array or a ByteSource, got ${describe(input)}`,
  )
}

function isByteSource(value: unknown): value is ByteSource {
  if (typeof value !== 'object' || value === null) return false
  const source = value as Partial<ByteSource>
  return typeof source.size === 'number' && typeof source.read === 'function' && typeof source.close === 'function'
}

/**
 * `length` bytes from `offset`. Rejects with READ_FAILED where the source ends before, OUT_OF_MEMORY where so many bytes
 * cannot be allocated.
 */
export async function readExactly(
  source: ByteSource,
  offset: number,
  length: number,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const bytes = await source.read(offset, length, signal).catch((cause: unknown) => {
    if (!(cause instanceof RangeError)) throw cause
    throw new BareclipError('OUT_OF_MEMORY', `cannot allocate ${length} bytes to read ${source.name}`, { cause })
  })
  signal?.throwIfAborted()
  if (bytes.length === length) return bytes
  throw new BareclipError(
    'READ_FAILED',
    `${source.name}: expected ${length} bytes at ${offset}, got ${bytes.length}: was the file cut while it was open?`,
  )
}

/** The whole source, for files that are small by nature (JSON). Rejects with READ_FAILED over `maxBytes`. */
export async function readAll(
  source: ByteSource,
  { maxBytes = 64 * 2 ** 20, signal }: { maxBytes?: number; signal?: AbortSignal | undefined } = {},
): Promise<Uint8Array> {
  if (source.size > maxBytes) {
    throw new BareclipError('READ_FAILED', `${source.name}: expected at most ${maxBytes} bytes, found ${source.size}`)
  }
  return readExactly(source, 0, source.size, signal)
}

/** Reads are views, not copies. */
function bytesSource(bytes: Uint8Array, name = 'bytes'): ByteSource {
  const size = bytes.length
  return {
    name,
    size,
    async read(offset, length, signal) {
      signal?.throwIfAborted()
      if (bytes.length !== size)
        throw new BareclipError('READ_FAILED', `${name}: the buffer was transferred or resized`)
      return bytes.subarray(...clamp(offset, length, size))
    },
    close: async () => {},
  }
}

function blobSource(blob: Blob): ByteSource {
  const name = 'name' in blob && typeof blob.name === 'string' && blob.name !== '' ? blob.name : 'a Blob'
  return {
    name,
    size: blob.size,
    async read(offset, length, signal) {
      signal?.throwIfAborted()
      const buffer = await blob
        .slice(...clamp(offset, length, blob.size))
        .arrayBuffer()
        .catch((cause: unknown) => {
          throw new BareclipError('READ_FAILED', `cannot read ${name}: ${messageOf(cause)}`, { cause })
        })
      signal?.throwIfAborted()
      return new Uint8Array(buffer)
    },
    close: async () => {},
  }
}

/** [begin, end) of what there is of `length` bytes from `offset`. */
function clamp(offset: number, length: number, size: number): [number, number] {
  const begin = Math.min(offset, size)
  return [begin, Math.min(begin + length, size)]
}

function parseUrl(text: string): URL {
  try {
    return new URL(text)
  } catch (cause) {
    throw new BareclipError('INVALID_ARGUMENT', `expected a URL, got ${describe(text)}`, { cause })
  }
}

async function openUrl(url: URL, signal: AbortSignal | undefined): Promise<ByteSource> {
  if (url.protocol === 'file:') return openFile(pathOf(url))
  if (!/^(https?|blob|data):$/.test(url.protocol)) {
    throw new BareclipError('INVALID_ARGUMENT', `expected an http, https, file, blob or data URL, got ${url.protocol}`)
  }
  if (url.username || url.password) {
    throw new BareclipError(
      'INVALID_ARGUMENT',
      `expected a URL without user name and password, got one for ${url.host}`,
    )
  }
  // Behind blob: and data: there is no server; node 20 answers ranges of blob: URLs one byte short.
  if (!url.protocol.startsWith('http')) return blobSource(await (await request(url, {}, signal)).blob())
  const opened = await openRanges(url, signal)
  return opened instanceof Uint8Array ? bytesSource(opened, nameOf(url)) : opened
}

function pathOf(url: URL): string {
  try {
    return pathFromUrl(url)
  } catch (cause) {
    throw new BareclipError('INVALID_ARGUMENT', `no path for ${url.href}: ${messageOf(cause)}`, { cause })
  }
}
