import type { Writable } from 'node:stream'
import { BareclipError, messageOf } from '../../runtime/errors.ts'

/** The reader of stdout is gone (`| head -1`): no failure, but nothing more to do. */
export class ClosedPipe extends Error {
  override readonly name = 'ClosedPipe'
}

/** Resolves when the text is handed over, so that a slow reader slows us down. */
export function createPrint(stdout: Writable): (text: string) => Promise<void> {
  stdout.on('error', () => {}) // the callback of write gets it
  return (text) =>
    new Promise((resolve, reject) => {
      const done = (error?: Error | null) => (error ? reject(failure(error)) : resolve())
      try {
        stdout.write(text, done)
      } catch (error) {
        reject(failure(error))
      }
    })
}

/** Lines, in blocks of some size: a system call each would cost more than making them. */
export async function printLines(print: (text: string) => Promise<void>, lines: Iterable<string>): Promise<void> {
  let block = ''
  for (const line of lines) {
    block += `${line}\n`
    if (block.length < 2 ** 16) continue
    await print(block)
    block = ''
  }
  if (block !== '') await print(block)
}

function failure(cause: unknown): Error {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  if (code === 'EPIPE' || code === 'ERR_STREAM_DESTROYED') return new ClosedPipe('stdout is closed', { cause })
  return new BareclipError('WRITE_FAILED', `cannot write to stdout: ${messageOf(cause)}`, { cause })
}
