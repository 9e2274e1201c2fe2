import { deepEqual, equal, ok, rejects } from 'node:assert/strict'
import { type AttentionData, loadAttention } from '../../kernels/attention/cases.ts'
import { attentionWasm, attentionWholeWasm } from '../../kernels/attention/wasm.ts'
import { randomValues, runCase, unitRoundoff } from '../../kernels/case.ts'
import { referenceKernels } from '../../kernels/reference.ts'
import { equalBatch, raggedBatch } from '../../runtime/batch.ts'
import type { Device } from '../../runtime/device.ts'
import { BareclipError } from '../../runtime/errors.ts'
import { createReferenceDevice } from '../../runtime/reference/device.ts'
import { createWasmDevice } from '../../runtime/wasm/device.ts'
import { compileModule } from '../../runtime/wasm/module.ts'
import {
  adversarial,
  example,
  headDim,
  hidden,
  largest,
  nonFinite,
  one,
  withAbsoluteValues,
} from './attention-examples.ts'
import { bits } from './check.ts'

// What attention.spec.ts does not see: leaving keys out (docs/operations/attention.md), the exponential, the longest texts.

describe('attention on wasm', () => {
  const reference = createReferenceDevice(referenceKernels)
  let leaving: Device
  let whole: Device
  before(async () => {
    const options = { module: await compileModule(false), threads: 1, reason: 'under test', variants: {} }
    leaving = await createWasmDevice({ attention: attentionWasm }, options)
    whole = await createWasmDevice({ attention: attentionWholeWasm }, options)
  })
  after(() => {
    for (const device of [leaving, whole, reference]) device.dispose()
  })

  const compute = async (device: Device, data: AttentionData): Promise<Float32Array> => {
    const [y] = await runCase(device, { load: loadAttention }, data)
    ok(y instanceof Float32Array)
    return y
  }

  describe('leaving keys out changes no more than rounding does', () => {
    for (const [name, make] of Object.entries(adversarial)) {
      it(name, async () => {
        const data = make()
        const got = await compute(leaving, data)
        const want = await compute(whole, data)
        const exact = await compute(reference, data)
        const sizes = await compute(reference, { ...data, qkv: withAbsoluteValues(data.qkv) })
        // each token and head on its own: the largest component is what the bound is measured against
        for (let at = 0; at < got.length; at += headDim) {
          const peak = largest(exact, at)
          const size = largest(sizes, at) // what roundings of the sums are measured against
          for (let i = at; i < at + headDim; i++) {
            const difference = Math.abs(got[i]! - want[i]!)
            const place = `token ${Math.floor(at / hidden)}, head ${(at % hidden) / headDim}: ${got[i]}, all keys ${want[i]}`
            ok(difference <= 2 ** -25 * peak + 4 * unitRoundoff * size, place)
          }
        }
      })
    }

    for (const [name, make] of Object.entries(nonFinite)) {
      it(name, async () => {
        const data = make()
        const got = await compute(leaving, data)
        const exact = await compute(reference, data)
        deepEqual([...got].map(Number.isFinite), [...exact].map(Number.isFinite))
        ok(got.some(Number.isFinite))
        ok(name.startsWith('every') || !got.every(Number.isFinite))
      })
    }

    it('does leave keys out', async () => {
      // what is left out is under half a unit in the last place, so it moves the last bit of some components, not of most
      const data = example(one(2000))
      const got = await compute(leaving, data)
      const want = await compute(whole, data)
      const changed = got.reduce((sum, value, i) => sum + (value === want[i] ? 0 : 1), 0)
      ok(changed > 0 && changed < got.length / 4, `${changed} of ${got.length} components changed`)
    })

    it('gives the same bits alone and in a batch', async () => {
      const lengths = [700, 65, 900]
      const data = example(raggedBatch(lengths.map((length) => Array.from({ length }, (_, i) => i))))
      const together = await compute(leaving, data)
      let first = 0
      for (const length of lengths) {
        const qkv = data.qkv.slice(first * 3 * hidden, (first + length) * 3 * hidden)
        const alone = await compute(leaving, { ...data, batch: one(length), qkv })
        deepEqual(bits(together.subarray(first * hidden, (first + length) * hidden)), bits(alone), `${length} tokens`)
        first += length
      }
    })
  })

  it('a share of two is within 2^-22 of it, from even to the smallest there is', async () => {
    // score 0 against x ≤ 0, values 0 and 1: y = e^x / (1 + e^x)
    const scores = Float32Array.from({ length: 30000 }, (_, i) => -87.3 * (i / 30000) ** 2)
    const qkv = new Float32Array(scores.length * 6)
    scores.forEach((x, i) => {
      qkv.set([1, 0, 0, 1, x, 1], i * 6)
    })
    const batch = equalBatch(scores.length, 2)
    const y = await compute(leaving, { batch, heads: 1, headDim: 1, qkv, scale: 1, slopes: undefined })
    scores.forEach((x, i) => {
      const share = 1 / (1 + Math.exp(-x))
      ok(Math.abs(y[2 * i]! - share) <= 2 ** -22 * share, `e^${x}: ${y[2 * i]}, expected ${share}`)
    })
  })

  it('a share below e^-87.34 is 0', async () => {
    const qkv = Float32Array.of(1, 0, 0, 1, -87.34, 1)
    const y = await compute(leaving, { batch: one(2), heads: 1, headDim: 1, qkv, scale: 1, slopes: undefined })
    deepEqual([...y], [0, 0])
  })

  it('20000 tokens, of which thousands of far ones weigh little together', async () => {
    const tokens = 20000
    const qkv = randomValues('20000 tokens', tokens * 6).map((x, i) => {
      const [token, column] = [Math.floor(i / 6), i % 6]
      return column < 2 ? 0.01 * x : column === 5 ? (token < 3000 ? 1 : -1) : x
    })
    const data = { batch: one(tokens), heads: 1, headDim: 2, qkv, scale: 1, slopes: Float32Array.of(1 / 256) }
    const y = await compute(leaving, data)
    const all = await compute(whole, data)
    for (let i = 1; i < y.length; i += 2) {
      ok(Math.abs(y[i]! - all[i]!) <= 2 ** -25 + 4 * unitRoundoff, `token ${(i - 1) / 2}: ${y[i]}, all keys ${all[i]}`)
    }
    for (const i of [0, 1, 9999, 10000, 19998, 19999]) {
      const shares = Float64Array.from({ length: tokens }, (_, j) => Math.exp(score(qkv, i, j) - Math.abs(i - j) / 256))
      const sum = shares.reduce((a, b) => a + b)
      for (const d of [0, 1]) {
        const want = shares.reduce((total, share, j) => total + share * qkv[j * 6 + 4 + d]!, 0) / sum
        ok(Math.abs(y[2 * i + d]! - want) < 1e-6, `token ${i}: ${y[2 * i + d]}, expected ${want}`)
      }
    }
  })

  it('refuses heads that are wider than its scratch memory', async () => {
    const data = { batch: one(1), heads: 1, headDim: 6000, qkv: new Float32Array(18000), scale: 1, slopes: undefined }
    await rejects(compute(leaving, data), (error) => {
      ok(error instanceof BareclipError)
      equal(error.code, 'INVALID_ARGUMENT')
      equal(error.message, 'attention: expected heads of at most 4096 columns, found 6000: use more heads')
      return true
    })
  })
})

/** q[i] · k[j] of one head of 2 */
function score(qkv: Float32Array, i: number, j: number): number {
  return qkv[6 * i]! * qkv[6 * j + 2]! + qkv[6 * i + 1]! * qkv[6 * j + 3]!
}
