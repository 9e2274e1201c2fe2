import { deepEqual, ok } from 'node:assert/strict'
import { type AttentionData, attentionCases, loadAttention } from '../../kernels/attention/cases.ts'
import { attentionLadder, attentionSubgroupLadder } from '../../kernels/attention/ladder.ts'
import { attentionAs, quadVariant } from '../../kernels/attention/webgpu.ts'
import { errorOf, runCase, unitRoundoff } from '../../kernels/case.ts'
import { webgpuKernels } from '../../kernels/webgpu.ts'
import { raggedBatch } from '../../runtime/batch.ts'
import type { Device } from '../../runtime/device.ts'
import { createWebgpuDevice } from '../../runtime/webgpu/device.ts'
import type { WebgpuKernel, WebgpuTable } from '../../runtime/webgpu/kernel.ts'
import { openDevice } from '../../runtime/webgpu/open.ts'
import { present } from '../devices.ts'
import { casesOnly, findGpu, rungsToo } from '../webgpu.ts'
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

async function outputOf(device: Device, data: AttentionData): Promise<Float32Array> {
  const [y] = await runCase(device, { load: loadAttention }, data)
  ok(y instanceof Float32Array)
  return y
}

/** As chosen, but with every key: the sums are the same otherwise. */
const withEveryKey = attentionAs((vectors, { extensions }) => {
  const variant = quadVariant(vectors, extensions.has('subgroups'))
  const files = variant.files.map((file) => ({
    ...file,
    name: `${file.name} with every key`,
    code: file.code.replace('let searching = ', 'let searching = false && '),
  }))
  return { ...variant, files }
})

describe('attention on webgpu, leaving keys out', () => {
  let leaving: Device
  let whole: Device

  before(async function () {
    if (casesOnly || !present.some(({ device }) => device === 'webgpu')) this.skip()
    const found = await findGpu()
    if (!('gpu' in found)) throw new Error(found.missing)
    const make = (kernels: WebgpuTable) =>
      createWebgpuDevice(kernels, { source: { gpu: found.gpu }, reason: 'under test' })
    leaving = await make(webgpuKernels)
    whole = await make({ ...webgpuKernels, attention: withEveryKey })
  })
  after(() => {
    leaving?.dispose()
    whole?.dispose()
  })

  for (const [name, make] of Object.entries(adversarial)) {
    it(`changes no more than rounding does: ${name}`, async () => {
      const data = make()
      const got = await outputOf(leaving, data)
      const want = await outputOf(whole, data)
      const sizes = await outputOf(whole, { ...data, qkv: withAbsoluteValues(data.qkv) })
      // The two add in different orders, so sums are rounded differently, and exponentials, which WGSL allows 3 + 2 |x| units
      // each; a share below the smallest normal number may vanish in one of them.
      const vanishing = 2 ** -126 * data.qkv.reduce((most, x) => Math.max(most, Math.abs(x)), 0)
      for (let at = 0; at < got.length; at += headDim) {
        const allowed = 2 ** -25 * largest(want, at) + 512 * unitRoundoff * largest(sizes, at) + vanishing
        for (let i = at; i < at + headDim; i++) {
          const place = `token ${Math.floor(at / hidden)}, head ${(at % hidden) / headDim}`
          const difference = Math.abs(got[i]! - want[i]!)
          ok(difference <= allowed, `${place}: ${got[i]}, all keys ${want[i]}, ${difference} > ${allowed}`)
        }
      }
    })
  }

  for (const [name, make] of Object.entries(nonFinite)) {
    it(name, async () => {
      const data = make()
      const got = await outputOf(leaving, data)
      const want = await outputOf(whole, data)
      deepEqual([...got].map(Number.isFinite), [...want].map(Number.isFinite))
      ok(got.some(Number.isFinite))
    })
  }

  it('gives the same bits alone and in a batch', async () => {
    const lengths = [300, 65, 400]
    const data = example(raggedBatch(lengths.map((length) => Array.from({ length }, (_, i) => i))))
    const together = await outputOf(leaving, data)
    let first = 0
    for (const length of lengths) {
      const qkv = data.qkv.slice(first * 3 * hidden, (first + length) * 3 * hidden)
      const alone = await outputOf(leaving, { ...data, batch: one(length), qkv })
      deepEqual(bits(together.subarray(first * hidden, (first + length) * hidden)), bits(alone), `${length} tokens`)
      first += length
    }
  })
})

describe('attention on webgpu, rung by rung', () => {
  before(function () {
    if (!rungsToo || !present.some(({ device }) => device === 'webgpu')) this.skip()
  })

  it('exchanges within a subgroup what it exchanges through memory, to the bit; the rung below agrees', async () => {
    const found = await findGpu()
    if (!('gpu' in found)) throw new Error(found.missing)
    const opened = await openDevice({ gpu: found.gpu })
    let rung: WebgpuKernel<never> = attentionLadder['3-quads']
    const attention: WebgpuKernel<never> = (parameters, access) => rung(parameters, access)
    const device = await createWebgpuDevice({ ...webgpuKernels, attention }, { source: opened, reason: 'under test' })
    try {
      const subgroups = opened.extensions.has('subgroups')
      const chosen = /^(1|5|65|197) tokens$|^head dim 5$|one gap|long sequence|mixed, no slopes/
      const cases = attentionCases().filter(({ name }) => chosen.test(name))
      for (const item of cases) {
        const data = item.data()
        rung = attentionLadder['3-quads']
        const memory = await outputOf(device, data)
        rung = attentionLadder['2-outward']
        const below = await outputOf(device, data)
        const { error, at } = errorOf(memory, below, data.heads * data.headDim, 'row')
        ok(error <= 2 * item.tolerance.error, `${item.name}: ${error} at ${at}`)
        if (!subgroups) continue
        rung = attentionSubgroupLadder['4-quads-subgroups']
        deepEqual(bits(await outputOf(device, data)), bits(memory), item.name)
      }
      ok(cases.length > 6)
    } finally {
      device.dispose()
    }
  })
})
