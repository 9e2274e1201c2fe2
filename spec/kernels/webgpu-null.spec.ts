import { equal, fail, ok } from 'node:assert/strict'
import process from 'node:process'
import { attentionLadder, attentionSubgroupLadder } from '../../kernels/attention/ladder.ts'
import { type Case, runCase } from '../../kernels/case.ts'
import { allCases } from '../../kernels/cases.ts'
import { linearLadder, matrixLadder, subgroupLadder } from '../../kernels/linear/ladder.ts'
import { webgpuKernels } from '../../kernels/webgpu.ts'
import { createWebgpuDevice } from '../../runtime/webgpu/device.ts'
import type { SubgroupMatrix, WebgpuTable } from '../../runtime/webgpu/kernel.ts'
import { openDevice } from '../../runtime/webgpu/open.ts'
import { asked } from '../devices.ts'
import { findNullGpu } from '../webgpu.ts'

const featureSets: readonly (readonly GPUFeatureName[])[] = [
  [],
  ['shader-f16'],
  ['subgroups'],
  ['shader-f16', 'subgroups', 'timestamp-query'],
]

/** As cards have them: float16 in, float32 out; and float32 throughout. */
const matrixSets: Readonly<Record<string, readonly SubgroupMatrix[]>> = {
  '16 × 16 × 16 f16': [{ component: 'f16', result: 'f32', M: 16, N: 16, K: 16 }],
  '16 × 8 × 8 f16': [{ component: 'f16', result: 'f32', M: 16, N: 8, K: 8 }],
  '8 × 16 × 16 f16': [{ component: 'f16', result: 'f32', M: 8, N: 16, K: 16 }],
  '8 × 8 × 8 f32': [{ component: 'f32', result: 'f32', M: 8, N: 8, K: 8 }],
}
const matrixFeatures = ['shader-f16', 'subgroups', 'chromium-experimental-subgroup-matrix'] as GPUFeatureName[]

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

  const valid = async (
    features: readonly GPUFeatureName[],
    kernels: WebgpuTable,
    cases: readonly Case[],
    subgroupMatrices: readonly SubgroupMatrix[] = [],
    lanes = 64,
  ) => {
    const adapter = await found.gpu.requestAdapter()
    const gpu = await adapter!.requestDevice({ requiredFeatures: features })
    const errors: string[] = []
    gpu.addEventListener('uncapturederror', ({ error }) => errors.push(error.message))
    const opened = await openDevice({ device: gpu })
    const traits = { ...opened.traits, software: false, subgroupMatrices }
    const matrices = subgroupMatrices.length > 0
    const source = { ...opened, traits: matrices ? { ...traits, subgroupSizes: [lanes, lanes] as const } : traits }
    const device = await createWebgpuDevice(kernels, { source, reason: 'under test' })
    try {
      for (const item of cases) await runCase(device, item, item.data())
      ok(cases.length > 0)
      equal(/\bmatrix\b/.test(device.info.variants.linear ?? ''), matrices)
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
  const linearCases = allCases().filter(({ operation }) => operation === 'linear')
  for (const [name, matrices] of Object.entries(matrixSets)) {
    // A workgroup is a multiple of the null adapter's largest subgroup, 128: with 32 lanes only the large tile is.
    it(`with subgroup matrices of ${name}`, () => valid(matrixFeatures, webgpuKernels, allCases(), matrices))
    for (const [rung, linear] of Object.entries(matrixLadder)) {
      const lanes = rung === '7-matrix-128' ? 32 : 64
      it(`with subgroup matrices of ${name}, rung ${rung}`, () =>
        valid(matrixFeatures, { ...webgpuKernels, linear }, linearCases, matrices, lanes))
    }
  }
  const attentionCases = allCases().filter(({ operation }) => operation === 'attention')
  for (const [rung, attention] of Object.entries(attentionSubgroupLadder)) {
    it(`attention, rung ${rung}`, () => valid(['subgroups'], { ...webgpuKernels, attention }, attentionCases))
  }
  for (const [rung, linear] of Object.entries(subgroupLadder)) {
    it(`linear, rung ${rung}`, () => valid(['subgroups'], { ...webgpuKernels, linear }, linearCases))
  }
  const ladders = { linear: linearLadder, attention: attentionLadder }
  for (const [operation, ladder] of Object.entries(ladders)) {
    const cases = allCases().filter((item) => item.operation === operation)
    for (const [rung, kernel] of Object.entries(ladder)) {
      it(`${operation}, rung ${rung}`, () => valid([], { ...webgpuKernels, [operation]: kernel }, cases))
    }
  }
})
