import type { ByteSource } from '../platform/platform.ts'
import { BareclipError, messageOf } from '../runtime/errors.ts'

/** Bytes fetched at least, so that neighbouring small tensors arrive with one request: a layer's biases and norms. */
const readAhead = 256 * 1024

/**
 * A URL behind a server that answers range requests; or all its bytes, if the server sends everything at once.
 *
 * Every answer is checked: status, position, length, and that total size and strong ETag stay those of the first one.
 * Rejects with MODEL_NOT_FOUND (404), READ_FAILED, OUT_OF_MEMORY, or the signal's reason.
 */
export async function openRanges(url: URL, signal: AbortSignal | undefined): Promise<ByteSource | Uint8Array> {
  const name = nameOf(url)
  const first = await fetchRange(url, 0, readAhead, signal)
  if (first.status === 200) return bodyOf(first, name, undefined, signal)
  const range = contentRange(first)
  if (first.status === 416 && range?.total === 0) {
    await first.body?.cancel()
    return new Uint8Array(0)
  }
  await requirePartial(first, name)
  const start = await bodyOf(
    first,
    name,
    range?.total === undefined ? undefined : Math.min(readAhead, range.total),
    signal,
  )
  // Without a total (CORS hides Content-Range unless it is exposed) a short answer is the whole resource.
  const size = range?.total ?? (start.length < readAhead ? start.length : await headSize(url, name, signal))
  const etag = strongEtag(first)
  let ahead = { begin: 0, bytes: start }

  /** [begin, end), end > begin */
  async function fetchBytes(begin: number, end: number, signal: AbortSignal | undefined): Promise<Uint8Array> {
    const response = await fetchRange(url, begin, end, signal)
    const range = contentRange(response)
    const changed =
      response.status === 200 ||
      response.status === 416 ||
      (range?.total !== undefined && range.total !== size) ||
      strongEtag(response) !== etag
    if (changed && (response.ok || response.status === 416)) {
      await response.body?.cancel()
      throw new BareclipError('READ_FAILED', `${name} changed while it was read: load it again`)
    }
    await requirePartial(response, name)
    if (range !== undefined && (range.begin !== begin || range.end !== end)) {
      await response.body?.cancel()
      throw new BareclipError(
        'READ_FAILED',
        `${name}: asked for bytes ${begin} to ${end - 1}, the server sent ${range.begin} to ${range.end - 1}`,
      )
    }
    return bodyOf(response, name, end - begin, signal)
  }

  return {
    name,
    size,
    async read(offset, length, signal) {
      signal?.throwIfAborted()
      const begin = Math.min(offset, size)
      const end = Math.min(begin + length, size)
      if (begin === end) return new Uint8Array(0)
      const held = ahead
      if (begin < held.begin || end > held.begin + held.bytes.length) {
        const fetched = await fetchBytes(begin, Math.min(size, Math.max(end, begin + readAhead)), signal)
        if (fetched.length <= readAhead) ahead = { begin, bytes: fetched }
        return fetched.subarray(0, end - begin)
      }
      return held.bytes.subarray(begin - held.begin, end - held.begin)
    },
    close: async () => {},
  }
}

/** For messages: no query, which may hold a signature or token. */
export function nameOf(url: URL): string {
  return url.protocol.startsWith('http') ? `${url.origin}${url.pathname}` : `a ${url.protocol} URL`
}

async function fetchRange(url: URL, begin: number, end: number, signal: AbortSignal | undefined): Promise<Response> {
  return request(url, { headers: { range: `bytes=${begin}-${end - 1}` } }, signal)
}

async function request(url: URL, init: RequestInit, signal: AbortSignal | undefined): Promise<Response> {
  try {
    return await fetch(url, signal ? { ...init, signal } : init)
  } catch (cause) {
    signal?.throwIfAborted()
    throw new BareclipError('READ_FAILED', `cannot fetch ${nameOf(url)}: ${fullMessage(cause)}`, { cause })
  }
}

/** fetch says "fetch failed" and keeps what happened in the cause. */
function fullMessage(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined
  return cause === undefined ? messageOf(error) : `${messageOf(error)}: ${messageOf(cause)}`
}

async function requirePartial(response: Response, name: string): Promise<void> {
  const { status, statusText } = response
  const encoding = response.headers.get('content-encoding') ?? 'identity'
  const begin = contentRange(response)?.begin
  if (status === 206 && encoding === 'identity' && begin !== undefined) return
  if (status === 206 && encoding === 'identity' && !response.headers.has('content-range')) return
  await response.body?.cancel()
  if (status === 404) throw new BareclipError('MODEL_NOT_FOUND', `${name} answered 404: no such file`)
  if (status !== 206) throw new BareclipError('READ_FAILED', `${name} answered ${status} ${statusText}`.trimEnd())
  const why =
    encoding === 'identity' ? `Content-Range: ${response.headers.get('content-range')}` : `encoded as ${encoding}`
  throw new BareclipError('READ_FAILED', `${name}: expected a plain range of bytes, the server sent one with ${why}`)
}

/** `bytes 0-99/1234` as { begin: 0, end: 100, total: 1234 }; a total of * is undefined. */
function contentRange(response: Response): { begin: number; end: number; total: number | undefined } | undefined {
  const header = response.headers.get('content-range')?.trim() ?? ''
  const unsatisfied = /^bytes \*\/(\d+)$/i.exec(header)
  if (unsatisfied) return { begin: 0, end: 0, total: Number(unsatisfied[1]) }
  const match = /^bytes (\d+)-(\d+)\/(\d+|\*)$/i.exec(header)
  if (!match) return undefined
  return { begin: Number(match[1]), end: Number(match[2]) + 1, total: match[3] === '*' ? undefined : Number(match[3]) }
}

/** Weak ETags may differ between a site's servers for the same bytes. */
function strongEtag(response: Response): string | undefined {
  const etag = response.headers.get('etag')
  return etag === null || etag.startsWith('W/') ? undefined : etag
}

async function headSize(url: URL, name: string, signal: AbortSignal | undefined): Promise<number> {
  const response = await request(url, { method: 'HEAD' }, signal)
  await response.body?.cancel()
  const length = response.headers.get('content-length')
  if (response.ok && length !== null && /^\d+$/.test(length)) return Number(length)
  throw new BareclipError(
    'READ_FAILED',
    `${name}: the server tells no size: it must send Content-Range and, to other origins, expose it (Access-Control-Expose-Headers)`,
  )
}

/** The body; exactly `length` bytes unless that is undefined. Reads no more than one piece beyond `length`. */
async function bodyOf(
  response: Response,
  name: string,
  length: number | undefined,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const announced = Number(response.headers.get('content-length') ?? 0)
  const reader = response.body?.getReader()
  let bytes = allocate(length ?? announced, name)
  let filled = 0
  try {
    for (;;) {
      const piece = reader ? await reader.read() : { done: true, value: undefined }
      if (piece.done || piece.value === undefined) break
      const total = filled + piece.value.length
      if (total > bytes.length) {
        if (length !== undefined) throw wrongLength(name, length, `${total} or more`)
        const larger = allocate(Math.max(total, 2 * bytes.length), name) // compressed, or of unknown length
        larger.set(bytes.subarray(0, filled))
        bytes = larger
      }
      bytes.set(piece.value, filled)
      filled = total
    }
  } catch (cause) {
    await reader?.cancel().catch(() => {})
    signal?.throwIfAborted()
    if (cause instanceof BareclipError) throw cause
    throw new BareclipError('READ_FAILED', `${name}: the answer broke off: ${fullMessage(cause)}`, { cause })
  }
  if (length !== undefined && filled !== length) throw wrongLength(name, length, `${filled}`)
  return bytes.subarray(0, filled)
}

function wrongLength(name: string, expected: number, found: string): BareclipError {
  return new BareclipError('READ_FAILED', `${name}: expected an answer of ${expected} bytes, got ${found}`)
}

function allocate(length: number, name: string): Uint8Array {
  try {
    return new Uint8Array(length)
  } catch (cause) {
    throw new BareclipError('OUT_OF_MEMORY', `cannot allocate ${length} bytes for ${name}`, { cause })
  }
}
