import { open } from 'node:fs/promises'
import { BareclipError, messageOf } from '../../../runtime/errors.ts'
import type { Cli } from '../cli.ts'

export interface Input {
  /** Ends with the signal's reason on an abort. */
  readonly chunks: AsyncIterable<Uint8Array>
  close(): void
}

type ByteStream = NodeJS.ReadableStream & { destroy(error?: Error): unknown }

/** A file, or stdin for '-'. Throws READ_FAILED at once where there is no such file. */
export async function openInput({ stdin, signal, messages }: Cli, path: string): Promise<Input> {
  if (path === '-' && stdin.isTTY) messages.say('reading from the terminal: one JSON object a line, Ctrl-D at the end')
  const stream: ByteStream = path === '-' ? stdin : await openFile(path)
  stream.on('error', () => {}) // an error before the first read comes with it
  return {
    chunks: chunksOf(stream, path === '-' ? 'stdin' : path, signal),
    close: () => stream.destroy(),
  }
}

async function openFile(path: string): Promise<ByteStream> {
  const file = await open(path).catch((cause: NodeJS.ErrnoException) => {
    throw cause.code === 'ENOENT'
      ? new BareclipError('READ_FAILED', `no such file: ${path}`, { cause })
      : failed(path, cause)
  })
  if ((await file.stat()).isDirectory()) {
    await file.close()
    throw new BareclipError('READ_FAILED', `expected a file, found a folder: ${path}`)
  }
  return file.createReadStream()
}

async function* chunksOf(stream: ByteStream, name: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const stop = () => stream.destroy(new Error('aborted'))
  signal.addEventListener('abort', stop, { once: true })
  try {
    signal.throwIfAborted()
    for await (const chunk of stream) yield typeof chunk === 'string' ? new TextEncoder().encode(chunk) : chunk
  } catch (cause) {
    signal.throwIfAborted()
    throw failed(name, cause)
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

function failed(name: string, cause: unknown): BareclipError {
  return new BareclipError('READ_FAILED', `cannot read ${name}: ${messageOf(cause)}`, { cause })
}
