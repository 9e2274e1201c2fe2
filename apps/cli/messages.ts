import type { Writable } from 'node:stream'

/** What people read, on stderr. */
export interface Messages {
  /** One line, `bareclip: …`. */
  say(text: string): void
  /** A line that the next one replaces; only on a terminal. */
  progress(text: string): void
  /** Takes the progress line away. */
  clear(): void
  readonly isTerminal: boolean
}

export function createMessages(stderr: Writable & { readonly isTTY?: boolean }): Messages {
  const isTerminal = stderr.isTTY === true
  stderr.on('error', () => {}) // nobody reads: there is nowhere left to complain
  let shown = false
  let last = 0
  const clear = () => {
    if (shown) stderr.write('\r\u001b[K')
    shown = false
  }
  return {
    isTerminal,
    say(text) {
      clear()
      stderr.write(`bareclip: ${oneLine(text)}\n`)
    },
    progress(text) {
      const now = performance.now()
      if (!isTerminal || now - last < 100) return
      last = now
      shown = true
      stderr.write(`\r\u001b[K${oneLine(text)}`)
    },
    clear,
  }
}

/** File names and file contents get into messages: no line breaks, no terminal control. */
export function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ').trim()
}
