// What the page of the specs needs: bundles, the built package, fixtures, temporary files, and a few functions of Node's.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { deflateSync } from 'node:zlib'

const root = fileURLToPath(new URL('../../../', import.meta.url))

/** What may be read of the repository. */
const readable = ['/spec/', '/shapes/', '/dist/', '/node_modules/mocha/mocha.']

const types = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css',
  '.json': 'application/json',
}

const isolating = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
}

/** Of a temporary folder, run by the AssemblyScript compiler in a process of its own. */
function compile(files, { folder, args }) {
  const place = mkdtempSync(join(tmpdir(), 'bareclip-browser-'))
  try {
    writeFileSync(join(place, 'in.ts'), files.get(`${folder}/in.ts`))
    const asc = join(root, 'node_modules/assemblyscript/bin/asc.js')
    execFileSync(process.execPath, [asc, ...args], { cwd: place })
    files.set(`${folder}/out.wasm`, readFileSync(join(place, 'out.wasm')))
  } finally {
    rmSync(place, { recursive: true })
  }
}

const inRoot = (pathname) => join(root, decodeURIComponent(pathname))
const mayRead = (pathname) => readable.some((start) => pathname.startsWith(start)) && !pathname.includes('..')

const functions = {
  deflate: (_files, body) => deflateSync(body),
  hash: (_files, body) => createHash('sha256').update(body).digest(),
  asc: (files, body) => void compile(files, JSON.parse(body)),
  readdir(_files, body) {
    const folder = String(body)
    if (!mayRead(folder)) throw new Error(`${folder} is not served`)
    return JSON.stringify(readdirSync(inRoot(folder), { recursive: true }))
  },
}

async function bodyOf(request) {
  const parts = []
  for await (const part of request) parts.push(part)
  return Buffer.concat(parts)
}

/**
 * Serves on a free port of this machine. isolated: with the headers that make pages cross-origin isolated. bundles: by path.
 * `?csp=…` on a page sets its Content-Security-Policy, and on a script that of the worker it becomes.
 */
export async function serve({ isolated, bundles }) {
  const files = new Map() // temporary ones
  const server = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url, 'http://localhost')
    const headers = {
      'Content-Type': types[extname(pathname)] ?? 'application/octet-stream',
      'Cache-Control': 'no-store',
    }
    if (isolated) Object.assign(headers, isolating, { 'Cross-Origin-Resource-Policy': 'same-origin' })
    if (searchParams.has('csp')) headers['Content-Security-Policy'] = searchParams.get('csp')
    const answer = (status, body = '') => response.writeHead(status, headers).end(body)
    try {
      const { method } = request
      if (method === 'POST' && pathname.startsWith('/node/')) {
        return answer(200, functions[pathname.slice('/node/'.length)](files, await bodyOf(request)))
      }
      if (method === 'PUT') {
        files.set(pathname, await bodyOf(request))
        return answer(200)
      }
      if (method === 'DELETE') {
        for (const path of files.keys()) if (path === pathname || path.startsWith(`${pathname}/`)) files.delete(path)
        return answer(200)
      }
      const bytes = bundles.get(pathname) ?? files.get(pathname) ?? fileAt(pathname)
      if (!bytes) return answer(404, `no ${pathname} here`)
      sendRange(request.headers.range, bytes, headers, answer)
    } catch (error) {
      answer(500, String(error?.stack ?? error))
    }
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}

function fileAt(pathname) {
  if (!mayRead(pathname)) return undefined
  const path = inRoot(pathname)
  return existsSync(path) && statSync(path).isFile() ? readFileSync(path) : undefined
}

function sendRange(range, bytes, headers, answer) {
  const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(range ?? '') ?? []
  headers['Accept-Ranges'] = 'bytes'
  if (from === undefined) return answer(200, bytes)
  const last = Math.min(to === '' ? bytes.length : Number(to), bytes.length - 1)
  if (Number(from) > last) {
    headers['Content-Range'] = `bytes */${bytes.length}`
    return answer(416)
  }
  headers['Content-Range'] = `bytes ${from}-${last}/${bytes.length}`
  answer(206, bytes.subarray(Number(from), last + 1))
}
