import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { availableParallelism, cpus } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Where a figure was measured. */
export interface Machine {
  readonly runtime: string
  readonly platform: string
  readonly processor: string
  readonly cores: number
  /** Of bareclip, of the runtime and its engine, and of whatever else was measured. */
  readonly versions: Readonly<Record<string, string>>
  /** Of the repository that bareclip ran from, `+` behind it where files are changed; absent where there is none. */
  readonly commit?: string
}

export function machine(): Machine {
  const { node, deno, bun, v8 } = process.versions
  const { version, folder } = ownPackage()
  const commit = commitOf(folder)
  const runtime = deno ? `Deno ${deno}` : bun ? `Bun ${bun}` : `Node ${node}, V8 ${v8}`
  return {
    runtime,
    platform: `${process.platform} ${process.arch}`,
    processor: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    versions: { bareclip: version, node, ...(deno && { deno }), ...(bun && { bun }), ...(v8 && { v8 }) },
    ...(commit !== undefined && { commit }),
  }
}

/** Of the sources, or of dist within them, or installed. */
function ownPackage(): { version: string; folder: string } {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const file = join(folder, 'package.json')
    if (existsSync(file)) return { version: JSON.parse(readFileSync(file, 'utf8')).version, folder }
    if (folder === dirname(folder)) return { version: 'unknown', folder }
  }
}

/** folder: of the package. dist lies in the repository; a package that is installed in someone's repository is not of it. */
function commitOf(folder: string): string | undefined {
  const root = [folder, dirname(folder)].find(
    (path) => existsSync(join(path, '.git')) && existsSync(join(path, 'clip')),
  )
  if (root === undefined) return undefined
  const git = (...args: readonly string[]) => {
    const { status, stdout } = spawnSync('git', args, { cwd: root, encoding: 'utf8' })
    return status === 0 ? stdout.trim() : undefined
  }
  const hash = git('rev-parse', '--short', 'HEAD')
  if (hash === undefined) return undefined
  return git('status', '--porcelain', '--untracked-files=no') === '' ? hash : `${hash}+`
}

export interface ProcessMemory {
  /** Resident now, in bytes. */
  readonly rss: number
  /** The most so far, in bytes. */
  readonly peakRss: number
}

export function processMemory(): ProcessMemory {
  const { rss } = process.memoryUsage()
  return { rss, peakRss: Math.max(rss, highWater() ?? process.resourceUsage().maxRSS * 1024) }
}

/** Linux counts per program there; its `maxRSS` begins with that of the process which started this one. */
function highWater(): number | undefined {
  try {
    const line = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))
    return line ? Number(line[1]) * 1024 : undefined
  } catch {
    return undefined // not Linux
  }
}
