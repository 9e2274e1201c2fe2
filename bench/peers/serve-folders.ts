import { createReadStream, statSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join } from 'node:path'

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
}

const pageText = '<!doctype html><title>bench</title><script type="module" src="/page/page.mjs"></script>'

/** Files of some folders, each under its name, to this machine alone → the URL. Ranges are served; the page is cross-origin isolated. */
export async function serveFolders(folders: Readonly<Record<string, string>>): Promise<string> {
  const server = createServer((request, response) => answer(folders, request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  server.unref()
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function answer(
  folders: Readonly<Record<string, string>>,
  { url = '/', headers: { range } }: IncomingMessage,
  response: ServerResponse,
): void {
  const [, folder = '', name = ''] = decodeURIComponent(url.split('?')[0]!).split('/')
  response.setHeader('Cross-Origin-Opener-Policy', 'same-origin')
  response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp')
  response.setHeader('Content-Type', types[extname(name)] ?? 'application/octet-stream')
  if (name === 'page.html') {
    response.end(pageText)
    return
  }
  const path = folders[folder] === undefined || name.startsWith('.') ? undefined : join(folders[folder], name)
  const size = path === undefined ? undefined : statSync(path, { throwIfNoEntry: false })?.size
  if (path === undefined || size === undefined) {
    response.writeHead(404).end()
    return
  }
  const asked = /^bytes=(\d+)-(\d*)$/.exec(range ?? '')
  const start = asked ? Number(asked[1]) : 0
  const end = asked?.[2] ? Math.min(Number(asked[2]), size - 1) : size - 1
  response.setHeader('Accept-Ranges', 'bytes')
  response.setHeader('Content-Length', end - start + 1)
  if (asked) response.setHeader('Content-Range', `bytes ${start}-${end}/${size}`)
  response.writeHead(asked ? 206 : 200)
  createReadStream(path, { start, end }).pipe(response)
}
