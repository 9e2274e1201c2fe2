import { fail, ok } from 'node:assert/strict'
import process from 'node:process'
import { attentionLadder } from '../../kernels/attention/ladder.ts'
import { type Case, runCase } from '../../kernels/case.ts'
import { allCases } from '../../kernels/cases.ts'
import { linearLadder } from '../../kernels/linear/ladder.ts'
import { webgpuKernels } from '../../kernels/webgpu.ts'
import { createWebgpuDevice } from '../../runtime/webgpu/device.ts'
import type { WebgpuTable } from '../../runtime/webgpu/kernel.ts'
import { asked } from '../devices.ts'
import { findNullGpu } from '../webgpu.ts'

const featureSets: readonly (readonly GPUFeatureName[])[] = [
  [],
  ['shader-f16'],
  ['subgroups'],
  ['shader-f16', 'subgroups', 'timestamp-query'],
]

// Dawn's null backend computes nothing and validates everything: WGSL, pipelines, bindings, limits. Its adapter has WebGPU's
// default limits.
describe('every webgpu kernel is valid', () => {
  const found = asked('webgpu') ? findNullGpu() : undefined
  if (!found) return

  if ('missing' in found) {
    it(found.missing, function () {
      if (process.env.CI !== 'true') this.skip()
      fail(found.missing)
    })
    return
  }

  const valid = async (features: readonly GPUFeatureName[], kernels: WebgpuTable, cases: readonly Case[]) => {
    const adapter = await found.gpu.requestAdapter()
    const gpu = await adapter!.requestDevice({ requiredFeatures: features })
    const errors: string[] = []
    gpu.addEventListener('uncapturederror', ({ error }) => errors.push(error.message))
    const device = await createWebgpuDevice(kernels, { source: { device: gpu }, reason: 'under test' })
    try {
      for (const item of cases) await runCase(device, item, item.data())
      ok(cases.length > 0)
      ok(errors.length === 0, errors.join('\n'))
    } finally {
      device.dispose()
      gpu.destroy()
    }
  }

  for (const features of featureSets) {
    const name = features.join(', ') || 'no features'
    it(`with ${name}`, () => valid(features, webgpuKernels, allCases()))
  }
  const ladders = { linear: linearLadder, attention: attentionLadder }
  for (const [operation, ladder] of Object.entries(ladders)) {
    const cases = allCases().filter((item) => item.operation === operation)
    for (const [rung, kernel] of Object.entries(ladder)) {
      it(`${operation}, rung ${rung}`, () => valid([], { ...webgpuKernels, [operation]: kernel }, cases))
    }
  }
})
