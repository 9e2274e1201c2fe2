import { randomBytes } from 'node:crypto'
import { type FileHandle, mkdir, open, rename, rm, rmdir, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { BareclipError, messageOf } from '../runtime/errors.ts'

export interface FolderFile {
  readonly name: string
  /** Writes the content through `write`, piece by piece. */
  readonly content: (write: (bytes: Uint8Array) => Promise<void>) => Promise<void>
}

/**
 * Writes files into a folder, which is made if need be. Each is written under a temporary name; once all are complete they
 * get their names, in the order given. On an error or abort the temporary files, and folders made for them, go away.
 *
 * Rejects with WRITE_FAILED and the system's error as its cause, or with what a file's content throws.
 */
export async function writeFolder(folder: string, files: readonly FolderFile[]): Promise<void> {
  const made = await failing(folder, mkdir(folder, { recursive: true })) // the topmost folder that was missing
  const suffix = `.${process.pid}-${randomBytes(4).toString('hex')}.partial`
  const paths = files.map(({ name }) => join(folder, name))
  try {
    for (const path of paths) await requireNoFolder(path)
    for (const [i, { content }] of files.entries()) await writeFile(paths[i]!, suffix, content)
    for (const path of paths) await failing(path, rename(`${path}${suffix}`, path))
  } catch (error) {
    for (const path of paths) await rm(`${path}${suffix}`, { force: true }).catch(() => {})
    if (made !== undefined) await removeEmpty(resolve(folder), resolve(made))
    throw error
  }
}

/** Errors name the file that was meant, not the temporary one. */
async function writeFile(path: string, suffix: string, content: FolderFile['content']): Promise<void> {
  const file = await failing(path, open(`${path}${suffix}`, 'wx'))
  try {
    await content((bytes) => failing(path, writeAll(file, bytes)))
    await failing(path, file.sync()) // or a power cut could leave a name with nothing behind it
  } finally {
    await failing(path, file.close())
  }
}

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at)).bytesWritten
}

/** A folder in a file's place would be found only after everything is written. */
async function requireNoFolder(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined)
  if (found?.isDirectory()) {
    throw new BareclipError('WRITE_FAILED', `cannot write ${path}: expected a file or nothing there, found a folder`)
  }
}

/** `folder` and those above it, up to `topmost`. */
async function removeEmpty(folder: string, topmost: string): Promise<void> {
  try {
    for (let path = folder; ; path = dirname(path)) {
      await rmdir(path)
      if (path === topmost) return
    }
  } catch {
    // something else is in it, or it is gone
  }
}

async function failing<T>(path: string, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (cause) {
    throw new BareclipError('WRITE_FAILED', `cannot write ${path}: ${messageOf(cause)}`, { cause })
  }
}
