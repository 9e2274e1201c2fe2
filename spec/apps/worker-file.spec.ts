import { deepEqual, equal } from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { Worker as NodeWorker } from 'node:worker_threads'
import { load } from '../../index.ts'

const file = createRequire(import.meta.url).resolve('bareclip/worker')

describe('bareclip/worker', () => {
  it('makes threads of the workers that the user starts from it', async () => {
    const made: NodeWorker[] = []
    const workers = () => {
      const worker = new NodeWorker(file, { execArgv: [] })
      made.push(worker)
      return worker as unknown as Worker
    }
    using single = await load(undefined, { threads: 1 })
    using clip = await load(undefined, { device: 'wasm', threads: 3, workers })
    equal(clip.info.threads, 3, clip.info.reason)
    equal(made.length, 3)
    deepEqual((await clip.encodeText('a red star')).data, (await single.encodeText('a red star')).data)
  })

  it('is a script and a module at once, without imports, and needs no eval', () => {
    const source = readFileSync(file, 'utf8')
    for (const word of ['import', 'export', 'require', 'eval', 'new Function']) {
      equal(new RegExp(`^(?!\\s*//).*\\b${word}\\b`, 'm').test(source), false, word)
    }
  })
})
