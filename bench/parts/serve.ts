import { processMemory } from '../machine.ts'
import { serveAnswers } from '../peers/protocol.ts'
import type { PartItem } from './items.ts'

type Values = Float32Array | Float64Array | Int32Array | Uint8Array

/** Made ready, so that `call` is all that is timed: from numbers on the host to numbers on the host. */
export interface PreparedPart {
  call(): unknown
  /** What `call` gave, as it is compared with that of the others. */
  show(result: unknown): Values
  dispose?(): void
}

/** At least this long at a time, in milliseconds: single calls may be too short to time. */
const stretchMs = 100

/** Slower than this, in milliseconds, it is told and not repeated. */
const patienceMs = 5000

/** In a measured process. `prepare` is given only what its contender is listed for (parts.ts). */
export function serveParts(title: string, prepare: (item: never) => Promise<PreparedPart>): void {
  let current: { readonly name: string; readonly part: PreparedPart } | undefined
  serveAnswers<PartItem>(title, async (item, wantsRows) => {
    const name = `${item.part} ${item.name}`
    if (current?.name !== name) {
      current?.part.dispose?.()
      current = { name, part: await prepare(item as never) }
    }
    const { part } = current
    if (!wantsRows) return { ms: await perCall(part), memory: processMemory() }
    const start = performance.now()
    const rows = [part.show(await part.call())]
    const ms = performance.now() - start
    if (ms > patienceMs) return { error: `one call takes ${(ms / 1000).toFixed(1)} s: not repeated` }
    await perCall(part)
    return { ms, rows }
  })
}

/** Milliseconds. */
async function perCall(part: PreparedPart): Promise<number> {
  const start = performance.now()
  for (let calls = 1; ; calls++) {
    await part.call()
    const ms = performance.now() - start
    if (ms >= stretchMs) return ms / calls
  }
}
