import { ask, tryAsk } from './ask.ts'
import type { Buffer } from './buffer.ts'

// node:fs, as much of it as the specs use: the folders of the repository that the server has, and temporary files that it
// keeps. A path is the URL of a file on the server, which is also what the package itself can open.

export function readFileSync(file: string | URL): Buffer
export function readFileSync(file: string | URL, encoding: 'utf8'): string
export function readFileSync(file: string | URL, encoding?: 'utf8'): Buffer | string {
  const bytes = ask('GET', file)
  return encoding ? bytes.toString(encoding) : bytes
}

export const existsSync = (file: string | URL): boolean => tryAsk('GET', file).status === 200

export function readdirSync(folder: string | URL): string[] {
  const { pathname } = new URL(folder)
  return JSON.parse(ask('POST', '/node/readdir', pathname).toString())
}

export const writeFileSync = (file: string | URL, content: string | Uint8Array): void => void ask('PUT', file, content)

let folders = 0
export const mkdtempSync = (prefix: string): string => `${prefix}${++folders}`

export const rmSync = (path: string | URL): void => void ask('DELETE', path)

function none(): never {
  throw new Error('there are no files in a browser')
}
export const readFile = none
export const mkdir = none
export const open = none
export const rename = none
export const rm = none
export const rmdir = none
export const stat = none
