import { readFileSync } from 'node:fs'

/** Of the package; dist has a package.json of its own. */
export function version(): string {
  return JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version
}
