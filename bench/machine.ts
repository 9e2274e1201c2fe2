import { readFileSync } from 'node:fs'
import { availableParallelism, cpus } from 'node:os'

/** Where a figure was measured. */
export interface Machine {
  readonly runtime: string
  readonly platform: string
  readonly processor: string
  readonly cores: number
}

export function machine(): Machine {
  const { node, deno, bun, v8 } = process.versions
  const runtime = deno ? `Deno ${deno}` : bun ? `Bun ${bun}` : `Node ${node}, V8 ${v8}`
  return {
    runtime,
    platform: `${process.platform} ${process.arch}`,
    processor: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
  }
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
