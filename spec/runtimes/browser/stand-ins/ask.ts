import { Buffer } from './buffer.ts'

/** Bytes or text from the server, at once: what the specs do at their top is not asynchronous. Throws if it is refused. */
export function ask(method: 'GET' | 'POST' | 'PUT' | 'DELETE', url: string | URL, body?: string | Uint8Array): Buffer {
  const { status, bytes } = tryAsk(method, url, body)
  if (status === 200) return bytes
  throw Object.assign(new Error(`${method} ${url}: ${status} ${bytes}`), status === 404 ? { code: 'ENOENT' } : {})
}

export function tryAsk(
  method: string,
  url: string | URL,
  body?: string | Uint8Array,
): { status: number; bytes: Buffer } {
  const request = new XMLHttpRequest()
  request.open(method, url, false)
  // A page gets no bytes synchronously, but a text whose characters hold a byte each.
  request.overrideMimeType('text/plain; charset=x-user-defined')
  request.send(body instanceof Uint8Array ? new Uint8Array(body) : (body ?? null))
  const text = request.responseText
  const bytes = Buffer.alloc(text.length)
  for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i)
  return { status: request.status, bytes }
}
