import type { Readable, Writable } from 'node:stream'
import type { Command } from 'commander'
import type { ExitCode } from './exit-codes.ts'
import type { Messages } from './messages.ts'

/** What a process has; a test hands in its own. */
export interface Streams {
  readonly stdin: Readable & { readonly isTTY?: boolean }
  readonly stdout: Writable & { readonly isTTY?: boolean }
  readonly stderr: Writable & { readonly isTTY?: boolean }
  readonly signal: AbortSignal
}

/** What a command works with. */
export interface Cli extends Streams {
  readonly program: Command
  /** Writes data to stdout. Rejects with WRITE_FAILED, or with ClosedPipe where nobody reads any more. */
  readonly print: (text: string) => Promise<void>
  readonly messages: Messages
  /** Takes help and version, which are data here: they were asked for. */
  readonly help: (text: string) => void
  /** What the process ends with; without a call, 0. */
  exit(code: ExitCode): void
}
