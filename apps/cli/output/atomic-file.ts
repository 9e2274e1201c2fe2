import { randomUUID } from 'node:crypto'
import { type FileHandle, open, realpath, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { BareclipError, messageOf } from '../../../runtime/errors.ts'

/** A file that appears whole or not at all: it is written beside its place under another name. */
export interface AtomicFile {
  /** Throws WRITE_FAILED, as the others do. */
  write(bytes: Uint8Array, position: number): Promise<void>
  /** Puts the file in its place, over the one that may be there. */
  commit(): Promise<void>
  /** Removes what was written, unless it is in its place. Never throws. */
  discard(): Promise<void>
}

/** Throws WRITE_FAILED where there can be no such file: no such folder, no permission, a folder or a device of that name. */
export async function createAtomicFile(path: string): Promise<AtomicFile> {
  const fail = (cause: unknown): never => {
    throw new BareclipError('WRITE_FAILED', `cannot write ${path}: ${messageOf(cause)}`, { cause })
  }
  if (path === '') fail('expected the name of a file')
  const place = await realpath(path).catch((error: NodeJS.ErrnoException) =>
    error.code === 'ENOENT' ? path : fail(error),
  )
  const before = await stat(place).catch(() => undefined)
  if (before && !before.isFile()) fail(`there is a ${before.isDirectory() ? 'folder' : 'device'} of that name`)
  const temporary = join(dirname(place), `.${basename(place).slice(0, 100)}.${randomUUID()}.tmp`)
  let file: FileHandle | undefined = await open(temporary, 'wx', before ? before.mode & 0o777 : 0o666).catch(
    (error: NodeJS.ErrnoException) => fail(error.code === 'ENOENT' ? `no such folder: ${dirname(place)}` : error),
  )

  const close = async () => {
    const closing = file
    file = undefined
    await closing?.close()
  }
  let committed = false
  return {
    async write(bytes, position) {
      try {
        for (let done = 0; done < bytes.length; ) {
          done += (await file!.write(bytes, done, bytes.length - done, position + done)).bytesWritten
        }
      } catch (error) {
        fail(error)
      }
    },
    async commit() {
      try {
        await file!.sync()
        await close()
        await rename(temporary, place)
        committed = true
      } catch (error) {
        fail(error)
      }
    },
    async discard() {
      if (committed) return
      await close().catch(() => {})
      await rm(temporary, { force: true }).catch(() => {})
    },
  }
}
