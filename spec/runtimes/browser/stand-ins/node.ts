import { ask } from './ask.ts'
import { Buffer } from './buffer.ts'

// What the specs use of node:child_process, crypto, module, os, path, process, timers/promises, url, worker_threads and zlib.
// What has no counterpart in a browser is asked of the server, so that it is Node's own.

declare global {
  /** Given by run.mjs: what the specs look up in process.env. */
  var environment: Record<string, string>
}
const env = globalThis.environment
const process = { execPath: 'node', env, versions: {} as Record<string, string> }
export default process

export const tmpdir = (): string => `${location.origin}/temporary`
export const join = (...parts: readonly string[]): string => parts.join('/')
export const dirname = (path: string): string => path.slice(0, path.lastIndexOf('/'))
export const resolve = (path: string): string => new URL(path, location.href).href
export const fileURLToPath = (url: string | URL): string => new URL(url).href

export { sleep as setTimeout }

const sleep = (milliseconds = 0): Promise<void> =>
  new Promise((resolve) => {
    globalThis.setTimeout(resolve, milliseconds)
  })

export const deflateSync = (bytes: Uint8Array): Buffer => ask('POST', '/node/deflate', bytes)

export const createHash = (name: 'sha256') => ({
  update: (bytes: Uint8Array) => ({
    digest: (encoding: 'hex'): string =>
      ask('POST', '/node/hash', bytes).toString(name === 'sha256' ? encoding : 'utf8'),
  }),
})

export const randomBytes = (length: number): Buffer => crypto.getRandomValues(Buffer.alloc(length))

/** Only the AssemblyScript compiler on in.ts of a folder of temporary files, which gets an out.wasm. */
export function execFileSync(_command: string, args: readonly string[], { cwd }: { cwd: string }): void {
  const from = args.indexOf('in.ts')
  if (!args[from - 1]?.endsWith('/asc.js')) throw new Error(`this stand-in runs no ${args.join(' ')}`)
  ask('POST', '/node/asc', JSON.stringify({ folder: new URL(cwd).pathname, args: args.slice(from) }))
}

export const createRequire = () => (name: string) => {
  throw new Error(`there is no ${name} in a browser`)
}

export function spawn(): never {
  throw new Error('there are no processes in a browser')
}

/** A web worker from source. */
export class Worker extends globalThis.Worker {
  constructor(source: string, options: { eval?: boolean }) {
    if (!options.eval) throw new Error('this stand-in takes source only')
    const url = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }))
    super(url)
    globalThis.setTimeout(() => URL.revokeObjectURL(url), 10_000)
  }
}
