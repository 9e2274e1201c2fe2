import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { type RunOptions, run } from '../../apps/cli/run.ts'

export const root = fileURLToPath(new URL('../../', import.meta.url))
export const pictures = fileURLToPath(new URL('../../shapes/pictures/', import.meta.url))
export const fixtures = fileURLToPath(new URL('../fixtures/', import.meta.url))

/** A line of output: what the commands write, one with another. */
export interface OutputLine {
  readonly index: number
  readonly embedding: number[]
  readonly tokens: number & string[]
  readonly truncated?: boolean
  readonly width?: number
  readonly height?: number
  readonly tiles?: number
  readonly error?: { readonly code: string; readonly message: string }
  readonly ids: number[]
  readonly image: string
  readonly label: string
  readonly probability: number
  readonly scores: { readonly label: string; readonly probability: number; readonly cosine: number }[]
  readonly rank: number
  readonly cosine: number
}

export interface Result {
  readonly code: number
  readonly out: string
  readonly err: string
  /** The lines of stdout, parsed. */
  readonly rows: OutputLine[]
}

export interface RunSettings {
  readonly input?: string | Uint8Array | Readable
  readonly signal?: AbortSignal
  readonly stdout?: Writable
  readonly isTTY?: boolean
  readonly create?: RunOptions['create']
}

/** The command line within this process. */
export async function cli(args: readonly string[], settings: RunSettings = {}): Promise<Result> {
  const { input = '', signal = new AbortController().signal, isTTY = false, create } = settings
  const out = collector()
  const err = collector()
  const stdin = input instanceof Readable ? input : Readable.from([Buffer.from(input)])
  const stdout = settings.stdout ?? out.stream
  const streams = { stdin, stdout, stderr: Object.assign(err.stream, { isTTY }), signal }
  const code = await run(args, streams, { ...(create && { create }) })
  return { code, out: out.text(), err: err.text(), rows: parseLines(out.text()) }
}

export function parseLines(text: string): OutputLine[] {
  if (!text.startsWith('{')) return []
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
}

export const ndjson = (...items: readonly unknown[]) => items.map((item) => `${JSON.stringify(item)}\n`).join('')

function collector() {
  const pieces: Buffer[] = []
  const stream = new Writable({
    write(chunk, _, done) {
      pieces.push(Buffer.from(chunk))
      done()
    },
  })
  return { stream, text: () => Buffer.concat(pieces).toString() }
}

/** A folder for one test, gone afterwards. */
export async function inFolder(test: (folder: string) => Promise<void> | void): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bareclip-cli-'))
  try {
    await test(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
