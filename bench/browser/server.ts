import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { BareclipError, messageOf } from '../../runtime/errors.ts'
import { pageDocument } from './document.ts'

export interface BenchServer {
  /** http://127.0.0.1:PORT/ */
  readonly url: string
  close(): Promise<void>
}

/** The page is alone with itself, so that its threads may share memory, and loads nothing from elsewhere. */
const headers = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
  // benchmark.js makes its loops with the Function constructor
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self' 'unsafe-eval' 'wasm-unsafe-eval'; worker-src blob:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Cache-Control': 'no-store',
} as const

/** Serves the kernel bench to browsers of this machine. port: 0 for a free one. Throws READ_FAILED, INVALID_ARGUMENT. */
export async function serveBench({
  port,
  version,
}: {
  readonly port: number
  readonly version: string
}): Promise<BenchServer> {
  const files = new Map([
    ['/', { type: 'text/html; charset=utf-8', body: pageDocument(version) }],
    ['/page.js', { type: 'text/javascript; charset=utf-8', body: await pageScript() }],
  ])
  const server = createServer((request, response) => answer(request, response, files))
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      const message = `cannot listen on port ${port} of 127.0.0.1: ${messageOf(cause)}; without --port a free one is taken`
      reject(new BareclipError('INVALID_ARGUMENT', message, { cause }))
    })
    server.listen(port, '127.0.0.1', resolve)
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function answer(
  { method, url = '/', headers: { host = '' } }: IncomingMessage,
  response: ServerResponse,
  files: ReadonlyMap<string, { readonly type: string; readonly body: string }>,
): void {
  const end = (status: number, type: string, body: string) =>
    response.writeHead(status, { ...headers, 'Content-Type': type }).end(method === 'HEAD' ? '' : body)
  // a name that somebody else points to this machine
  if (!/^(127\.0\.0\.1|localhost)(:\d+)?$/.test(host)) return void end(403, 'text/plain', 'ask for 127.0.0.1\n')
  if (method !== 'GET' && method !== 'HEAD') return void end(405, 'text/plain', 'GET only\n')
  const file = files.get(url.split('?')[0]!)
  if (file) end(200, file.type, file.body)
  else end(404, 'text/plain', 'there is only / here\n')
}

/** Beside this file once built; the source runs from the repository, which has it in dist/. */
async function pageScript(): Promise<string> {
  let cause: unknown
  for (const place of ['page.js', '../../dist/bench/browser/page.js']) {
    try {
      return await readFile(new URL(place, import.meta.url), 'utf8')
    } catch (error) {
      cause = error
    }
  }
  throw new BareclipError('READ_FAILED', 'the script of the page is not there: npm run build makes it', { cause })
}
