// A process of its own for wasm-threads.spec.ts: says "done" and has to end by itself.
// Arguments: how it ends, the kernels as base64.
import { Buffer } from 'node:buffer'
import process from 'node:process'
import { createMachine } from './thread-machine.ts'

const machine = await createMachine(2, undefined, new Uint8Array(Buffer.from(process.argv[3]!, 'base64')))
const { pool, cells } = machine
const count = { entry: 'count', units: 10, parameters: [cells.first] }
const forever = { entry: 'slow', units: 1_000_000, parameters: [cells.second, 1] }
const trap = { entry: 'trap', units: 10, parameters: [0] }
const endings: Record<string, () => Promise<unknown>> = {
  async idle() {},
  'run-then-idle': () => machine.run([count]),
  async disposed() {
    await machine.run([count])
    pool.dispose()
  },
  aborted: () => machine.run([forever], { signal: AbortSignal.timeout(100) }),
  trapped: () => machine.run([trap]),
  async 'disposed-in-a-run'() {
    setTimeout(() => pool.dispose(), 50)
    await machine.run([forever])
  },
}
await endings[process.argv[2]!]!().catch(() => {})
console.log('done')
