import { readFile, stat } from 'node:fs/promises'
import { BareclipError, messageOf } from '../../../runtime/errors.ts'

export type ImageFile = { readonly path: string; readonly index: number } & (
  | { readonly bytes: Uint8Array; readonly error?: undefined }
  | { readonly error: BareclipError; readonly bytes?: undefined }
)

/** Files that are read before they are worked on: bounds memory. */
const groupFiles = 64
const groupBytes = 64 * 2 ** 20

/** More than any picture within the decoders' limits; keeps a disk image named .png out of memory. */
const maxFileBytes = 2 ** 30

/** Reads pictures, in order, in groups of bounded size. One that cannot be read comes with its error. `index`: in paths. */
export async function* readImages(paths: readonly string[], signal: AbortSignal): AsyncGenerator<readonly ImageFile[]> {
  let group: ImageFile[] = []
  let bytes = 0
  for (const [index, path] of paths.entries()) {
    const file = await readImage(path, signal)
    group.push({ ...file, path, index })
    bytes += file.bytes?.length ?? 0
    if (group.length < groupFiles && bytes < groupBytes) continue
    yield group
    group = []
    bytes = 0
  }
  if (group.length > 0) yield group
}

async function readImage(
  path: string,
  signal: AbortSignal,
): Promise<{ bytes: Uint8Array; error?: undefined } | { error: BareclipError; bytes?: undefined }> {
  signal.throwIfAborted()
  try {
    return { bytes: await readRegularFile(path, signal) }
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof BareclipError) return { error }
    return { error: new BareclipError('READ_FAILED', reason(path, error), { cause: error }) }
  }
}

async function readRegularFile(path: string, signal: AbortSignal): Promise<Uint8Array> {
  const found = await stat(path) // before it is opened: opening a pipe waits for its writer
  if (!found.isFile()) {
    const kind = found.isDirectory() ? 'a folder' : 'no regular file'
    throw new BareclipError('READ_FAILED', `${path}: expected a picture, found ${kind}`)
  }
  if (found.size > maxFileBytes) {
    throw new BareclipError('IMAGE_TOO_LARGE', `${path}: expected at most ${maxFileBytes} bytes, found ${found.size}`)
  }
  return readFile(path, { signal })
}

function reason(path: string, error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return code === 'ENOENT' || code === 'ENOTDIR' ? `no such file: ${path}` : `cannot read ${path}: ${messageOf(error)}`
}

/** Decoders know bytes only: says which picture it was. */
export function inFile(path: string, { code, message, cause }: BareclipError): BareclipError {
  return new BareclipError(code, `${path}: ${message}`, { cause })
}
