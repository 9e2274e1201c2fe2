import assert from 'node:assert/strict'
import { casesNamed } from '../../bench/cases.ts'
import { benchModel } from '../../bench/model/model.ts'
import { createProfile, observed, type ProfileRow } from '../../bench/model/profile.ts'
import { encodeText } from '../../clip/encode-text.ts'
import { loadEngine } from '../../clip/load.ts'
import type { Command } from '../../runtime/device.ts'

const total = (rows: readonly ProfileRow[], of: 'calls' | 'flops' | 'bytes' | 'ms') =>
  rows.reduce((sum, row) => sum + row[of], 0)

/** What a tower of the demonstration model records for one text, from models/jina-bert.ts. */
const textCalls = (layers: number) => ({
  embedding: 1,
  linear: 4 * layers,
  attention: layers,
  'layer-norm': 2 * layers,
  'mean-pool': 1,
  'l2-normalize': 1,
})

/** Of one image, from models/eva02.ts; the last block goes on with the class token. */
const imageCalls = (layers: number) => ({
  'patch-embed': 1,
  linear: 4 * layers,
  rotary: layers,
  attention: layers,
  'layer-norm': 4 * layers + 1,
  'mean-pool': 2,
  'l2-normalize': 1,
})

describe('bench: the profile of a model', () => {
  for (const threads of [1, 2]) {
    it(`has the tower's operations with their flops, ${threads} thread(s)`, async () => {
      const { engine } = await loadEngine(undefined, { device: 'wasm', threads })
      const { text, vision } = engine.model
      engine.device.dispose()
      const { cases, device } = await benchModel({
        device: 'wasm',
        threads,
        cases: casesNamed(['1x16', 'image-1']),
        runs: 2,
      })
      assert.equal(device.threads, threads)
      for (const [i, expected] of [textCalls(text.layers), imageCalls(vision!.layers)].entries()) {
        const { profile, flops, ms } = cases[i]!
        const { operations, parts } = profile!
        assert.deepEqual(Object.fromEntries(operations.map(({ operation, calls }) => [operation, calls])), expected)
        assert.equal(total(operations, 'flops'), flops)
        assert.equal(total(parts, 'flops'), flops)
        assert.equal(total(parts, 'calls'), total(operations, 'calls'))
        assert.equal(total(parts, 'bytes'), total(operations, 'bytes'))
        assert.ok(Math.abs(total(parts, 'ms') - total(operations, 'ms')) < 1e-6)
        assert.ok(total(operations, 'ms') <= profile!.ms && ms.least <= ms.median && ms.median <= ms.most)
        const times = operations.map((row) => row.ms)
        assert.deepEqual(
          times,
          [...times].sort((a, b) => b - a),
        )
      }
    })
  }

  it('the flops of linear are those of its matrices', async () => {
    const { engine } = await loadEngine(undefined, { device: 'wasm', threads: 1 })
    const { hidden, layers } = engine.model.text
    const commands: Command[] = []
    const profile = createProfile()
    await encodeText(observed(engine, { onPass: (pass) => commands.push(...pass), onCommand: profile.add }), {
      tokens: [5, 6, 7],
    })
    engine.device.dispose()
    const parts = profile.result().parts
    const qkv = parts.find(({ shapes }) => shapes === `(3, ${hidden}) → (3, ${3 * hidden})`)!
    assert.deepEqual([qkv.operation, qkv.calls, qkv.flops], ['linear', layers, layers * 2 * 3 * hidden * 3 * hidden])
    assert.equal(total(profile.result().operations, 'calls'), commands.length)
  })

  it('seeing a model at work does not change what it says', async () => {
    const { engine } = await loadEngine()
    const text = { tokens: [5, 6, 7, 8] }
    const plain = await encodeText(engine, text)
    const seen = await encodeText(observed(engine, { onCommand: () => {} }), text)
    engine.device.dispose()
    assert.deepEqual(seen.data, plain.data)
  })

  it('tells the time without leaving keys out only for long texts', async () => {
    const { cases } = await benchModel({ device: 'wasm', cases: casesNamed(['1x128', '1x512']), runs: 1 })
    assert.deepEqual(
      cases.map(({ msWhole }) => msWhole !== undefined),
      [false, true],
    )
  })

  it('the reference device is profiled too, and has no such choice', async () => {
    const { cases, device } = await benchModel({ device: 'reference', cases: casesNamed(['1x16']), runs: 1 })
    assert.equal(device.device, 'reference')
    assert.equal(total(cases[0]!.profile!.operations, 'flops'), cases[0]!.flops)
    assert.equal(cases[0]!.msWhole, undefined)
  })

  it('an abort ends it with its reason', async () => {
    const controller = new AbortController()
    const reason = new Error('enough')
    const done = benchModel({
      cases: casesNamed(['1x16']),
      runs: 1000,
      signal: controller.signal,
      onLoad: async () => {
        setTimeout(() => controller.abort(reason), 50)
      },
    })
    await assert.rejects(done, (error) => error === reason)
  })
})
