// Writes dist/worker.js, which is bareclip/worker: what a thread runs, as a file, for pages that may start no worker from a blob.
// It is `threadSource` itself, a script without imports, so it can be started as a module worker, as a classic one, and by
// node:worker_threads. Messages that are no orders to a thread it leaves alone.
import { writeFileSync } from 'node:fs'
import { threadSource } from '../dist/runtime/wasm/thread-source.js'

const about = '// A thread of bareclip. Start it as the `workers` option of `load` does; it is of no use by itself.\n'
const into = (name) => new URL(`../dist/${name}`, import.meta.url)
writeFileSync(into('worker.js'), about + threadSource)
writeFileSync(into('worker.d.ts'), `${about}export {}\n`)
