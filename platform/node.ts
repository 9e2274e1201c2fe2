import { open } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { BareclipError, messageOf } from '../runtime/errors.ts'
import type { ByteSource, Platform, Thread } from './platform.ts'
import { webThread } from './web-thread.ts'

/** In bytes. Node 20 ends the process when asked for 2 GiB or more at once. */
const largestRead = 2 ** 30

export const platformName: Platform['platformName'] = 'node'

export const decodeImage: Platform['decodeImage'] = undefined

export const pathFromUrl: Platform['pathFromUrl'] = (url) => fileURLToPath(url)

export async function openFile(path: string): Promise<ByteSource> {
  const file = await open(path, 'r').catch((cause: NodeJS.ErrnoException) => {
    const missing = cause.code === 'ENOENT' || cause.code === 'ENOTDIR'
    throw new BareclipError(
      missing ? 'MODEL_NOT_FOUND' : 'READ_FAILED',
      missing ? `no such file: ${path}` : `cannot open ${path}: ${messageOf(cause)}`,
      { cause },
    )
  })
  const stat = await file.stat()
  if (!stat.isFile()) {
    await file.close()
    throw new BareclipError(
      'READ_FAILED',
      `expected a file, found a ${stat.isDirectory() ? 'folder' : 'device'}: ${path}`,
    )
  }
  return {
    name: path,
    size: stat.size,
    async read(offset, length, signal) {
      signal?.throwIfAborted()
      const bytes = new Uint8Array(Math.max(0, Math.min(length, stat.size - offset)))
      let filled = 0
      while (filled < bytes.length) {
        const { bytesRead } = await file
          .read(bytes, filled, Math.min(bytes.length - filled, largestRead), offset + filled)
          .catch((cause: unknown) => {
            throw new BareclipError('READ_FAILED', `cannot read ${path}: ${messageOf(cause)}`, { cause })
          })
        if (bytesRead === 0) break // the file was cut while it was open
        filled += bytesRead
        signal?.throwIfAborted()
      }
      return bytes.subarray(0, filled)
    },
    close: () => file.close(),
  }
}

export const cores: Platform['cores'] = () => Math.max(1, availableParallelism())

export const threadsMissing: Platform['threadsMissing'] = () => undefined

/** The worker that a user made may be of either kind: Deno and Bun have both. */
export const startThread: Platform['startThread'] = (source, worker) => {
  if (!worker) {
    // Without the parent's --import hooks and NODE_OPTIONS, which would take longer than the thread itself.
    return nodeThread(new Worker(source, { eval: true, name: 'bareclip', execArgv: [], env: {} }))
  }
  const made: unknown = worker()
  if (made instanceof Worker) return nodeThread(made)
  return webThread(made as globalThis.Worker, 'the worker that `workers` made ended or could not be loaded')
}

function nodeThread(worker: Worker): Thread {
  return {
    lock: undefined,
    post: (message) => worker.postMessage(message),
    onMessage: (listener) => worker.on('message', listener),
    onEnd(listener) {
      worker.once('error', listener)
      worker.once('messageerror', listener)
      worker.once('exit', (code) => listener(new Error(`it ended with exit code ${code}`)))
    },
    ref: () => worker.ref(),
    unref: () => worker.unref(),
    terminate: () => void worker.terminate().catch(() => {}),
  }
}
