import { spawn } from 'node:child_process'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { BareclipError } from '../../runtime/errors.ts'
import { type Spread, spread } from '../statistics.ts'

export interface ColdStartOptions {
  readonly model?: string | undefined
  readonly device?: string | undefined
  readonly dtype?: string | undefined
  readonly threads?: number | undefined
  /** Processes. */
  readonly runs: number
  readonly signal?: AbortSignal | undefined
}

export interface ColdStart {
  readonly runs: number
  /** From starting `bareclip embed` to its first embedding, in milliseconds. */
  readonly first: Spread
  /** To its end. */
  readonly ms: Spread
}

/**
 * New processes of the command line, each for one short text, timed from outside. The files are in the system's memory after
 * the first. Undefined outside Node. Throws DEVICE_UNAVAILABLE where a process fails, the signal's reason.
 */
export async function coldStart(options: ColdStartOptions): Promise<ColdStart | undefined> {
  if (process.versions.deno || process.versions.bun) return undefined
  const times: { first: number; ms: number }[] = []
  for (let run = 0; run < options.runs; run++) times.push(await once(options))
  return { runs: options.runs, first: spread(times.map(({ first }) => first)), ms: spread(times.map(({ ms }) => ms)) }
}

function once({ model, device, dtype, threads, signal }: ColdStartOptions): Promise<{ first: number; ms: number }> {
  signal?.throwIfAborted()
  const ending = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  const main = fileURLToPath(new URL(`../../apps/cli/main.${ending}`, import.meta.url))
  const asked = Object.entries({ model, device, dtype, threads }).filter(([, value]) => value !== undefined)
  const args = [...process.execArgv, main, 'embed', '-', ...asked.flatMap(([name, value]) => [`--${name}`, `${value}`])]
  return new Promise((resolve, reject) => {
    const start = performance.now()
    const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'pipe'] })
    const abort = () => child.kill('SIGKILL')
    signal?.addEventListener('abort', abort)
    let first: number | undefined
    let complaint = ''
    child.stdout.on('data', () => {
      first ??= performance.now() - start
    })
    child.stderr.on('data', (text) => {
      complaint = (complaint + text).slice(-500)
    })
    child.on('error', reject)
    child.on('close', (code) => {
      signal?.removeEventListener('abort', abort)
      if (signal?.aborted) reject(signal.reason)
      else if (code === 0 && first !== undefined) resolve({ first, ms: performance.now() - start })
      else reject(new BareclipError('DEVICE_UNAVAILABLE', `a new process ended with code ${code}: ${complaint.trim()}`))
    })
    child.stdin.on('error', () => {}) // it ended before: its code tells
    child.stdin.end('{"text": "a small bird sits on the long branch of an old tree"}\n')
  })
}
