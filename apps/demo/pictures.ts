import { readdir, readFile } from 'node:fs/promises'
import { parse } from 'node:path'

export interface Picture {
  /** Of the file, without its extension: what it shows. */
  readonly name: string
  readonly bytes: Uint8Array
}

/** The drawings that ship with the package, by name. */
export async function readPictures(): Promise<Picture[]> {
  const folder = new URL('../../shapes/pictures/', import.meta.url)
  const files = (await readdir(folder)).filter((file) => /\.(png|jpe?g)$/.test(file)).sort()
  return Promise.all(
    files.map(async (file) => ({ name: parse(file).name, bytes: await readFile(new URL(file, folder)) })),
  )
}
