import type { PeerCase } from './cases.ts'

/** In a peer's process: answers each case that comes with its time in milliseconds. */
export function serve(title: string, run: (item: PeerCase) => Promise<void>): void {
  process.on('message', async (item: PeerCase | 'end') => {
    if (item === 'end') process.exit(0)
    const start = performance.now()
    try {
      await run(item)
      process.send!({ ms: performance.now() - start, rss: process.memoryUsage().rss })
    } catch (error) {
      process.send!({ error: String(error) })
    }
  })
  process.send!({ title })
}
