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
  if (first.ok && isEncoded(first)) {
    // A range of compressed bytes is of no use, and engines differ in whether they decode what a range request brought.
    await discard(first)
    return wholeBody(await request(url, {}, signal), name, signal)
  }
  if (first.status === 200) return wholeBody(first, name, signal)
  const { total } = contentRange(first) ?? {}
  if (first.status === 416 && total === 0) {
    await discard(first)
    return new Uint8Array(0)
  }
  await requirePartial(first, name, 0, readAhead)
  const most = Math.min(readAhead, total ?? readAhead)
  const start = await bodyOf(first, name, total === undefined ? 0 : most, most, signal)
  // Without a total (CORS hides Content-Range unless it is exposed) a short answer is the whole resource.
  const size = total ?? (start.length < readAhead ? start.length : await headSize(url, name, signal))
  const etag = strongEtag(first)
  let ahead = { begin: 0, bytes: start }

  /** [begin, end), end > begin */
  async function fetchBytes(begin: number, end: number, signal: AbortSignal | undefined): Promise<Uint8Array> {
    const response = await fetchRange(url, begin, end, signal)
    const { status } = response
    const otherSize = (contentRange(response)?.total ?? size) !== size
    if (status === 200 || status === 416 || (status === 206 && (otherSize || strongEtag(response) !== etag))) {
      await discard(response)
      throw new BareclipError('READ_FAILED', `${name} changed while it was read: load it again`)
    }
    await requirePartial(response, name, begin, end)
    return bodyOf(response, name, end - begin, end - begin, signal)
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

/** fetch with our errors. */
export async function request(url: URL, init: RequestInit, signal: AbortSignal | undefined): Promise<Response> {
  try {
    return await fetch(url, signal ? { ...init, signal } : init)
  } catch (cause) {
    signal?.throwIfAborted()
    throw new BareclipError('READ_FAILED', `cannot fetch ${nameOf(url)}: ${fullMessage(cause)}`, { cause })
  }
}

/** A body that nobody wants. It may have failed already. */
async function discard(response: Response): Promise<void> {
  await response.body?.cancel().catch(() => {})
}

/** fetch says "fetch failed" and keeps what happened in the cause; some engines quote the URL, query and all. */
function fullMessage(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined
  const message = cause === undefined ? messageOf(error) : `${messageOf(error)}: ${messageOf(cause)}`
  return message.replace(/(https?:\/\/[^\s"?#]*)[?#][^\s")]*/g, '$1')
}

/** Refuses what is no answer to a request for bytes [begin, end). */
async function requirePartial(response: Response, name: string, begin: number, end: number): Promise<void> {
  const refusal = refusalOf(response, name, begin, end)
  if (!refusal) return
  await discard(response)
  throw refusal
}

function refusalOf(response: Response, name: string, begin: number, end: number): BareclipError | undefined {
  if (response.status !== 206) return wrongStatus(response, name)
  const asked = `${name}: asked for bytes ${begin} to ${end - 1}`
  if (isEncoded(response)) return new BareclipError('READ_FAILED', `${asked}, the server sent them compressed`)
  const sent = response.headers.get('content-range')
  const range = contentRange(response)
  const fits = range?.begin === begin && range.end <= end && range.end >= Math.min(end, range.total ?? 0)
  return fits || sent === null ? undefined : new BareclipError('READ_FAILED', `${asked}, the server sent ${sent}`)
}

function wrongStatus({ status, statusText }: Response, name: string): BareclipError {
  if (status === 404) return new BareclipError('MODEL_NOT_FOUND', `${name} answered 404: no such file`)
  return new BareclipError('READ_FAILED', `${name} answered ${status} ${statusText}`.trimEnd())
}

function isEncoded(response: Response): boolean {
  return (response.headers.get('content-encoding') ?? 'identity') !== 'identity'
}

async function wholeBody(response: Response, name: string, signal: AbortSignal | undefined): Promise<Uint8Array> {
  if (response.status === 200) return bodyOf(response, name, 0, Number.POSITIVE_INFINITY, signal)
  await discard(response)
  throw wrongStatus(response, name)
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
  await discard(response)
  const length = response.headers.get('content-length')
  if (response.ok && length !== null && /^\d+$/.test(length)) return Number(length)
  throw new BareclipError(
    'READ_FAILED',
    `${name}: the server tells no size: it must send Content-Range and, to other origins, expose it (Access-Control-Expose-Headers)`,
  )
}

/** The body, of `least` to `most` bytes; reads at most one piece beyond. */
async function bodyOf(
  response: Response,
  name: string,
  least: number,
  most: number,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const announced = Number(response.headers.get('content-length') ?? 0)
  const reader = response.body?.getReader()
  let bytes = allocate(Number.isFinite(most) ? most : announced, name)
  let filled = 0
  const wrongLength = (found: string) =>
    new BareclipError('READ_FAILED', `${name}: expected an answer of ${most} bytes, got ${found}`)
  try {
    for (;;) {
      const piece = await reader?.read()
      if (!piece || piece.done) break
      const total = filled + piece.value.length
      if (total > most) throw wrongLength(`${total} or more`)
      if (total > bytes.length) {
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
  if (filled < least) throw wrongLength(`${filled}`)
  return bytes.subarray(0, filled)
}

function allocate(length: number, name: string): Uint8Array {
  try {
    return new Uint8Array(length)
  } catch (cause) {
    throw new BareclipError('OUT_OF_MEMORY', `cannot allocate ${length} bytes for ${name}`, { cause })
  }
}
