import { createRequire } from 'node:module'
import { attention } from '../kernels/attention/attention.ts'
import { attentionLadder } from '../kernels/attention/ladder.ts'
import { attentionWebgpu } from '../kernels/attention/webgpu.ts'
import { batchInputs, randomValues } from '../kernels/case.ts'
import { linearLadder } from '../kernels/linear/ladder.ts'
import { type LinearOptions, linear } from '../kernels/linear/linear.ts'
import { linearWebgpu } from '../kernels/linear/webgpu.ts'
import { equalBatch } from '../runtime/batch.ts'
import type { Device, Scope } from '../runtime/device.ts'
import { createWebgpuDevice } from '../runtime/webgpu/device.ts'
import type { WebgpuTable } from '../runtime/webgpu/kernel.ts'
import { spread } from './statistics.ts'

export interface WebgpuBenchOptions {
  /** Sizes that a driver on the processor can do. */
  readonly tiny: boolean
  readonly dtype: 'f32' | 'f16'
  readonly runs: number
}

/** in → rows of the weight, as the towers have them. */
const layers = [
  ['q, k, v', 768, 2304, {}],
  ['output', 768, 768, {}],
  ['gate, text', 768, 6144, { gate: 'gelu' }],
  ['gate, vision', 768, 4096, { gate: 'silu' }],
  ['MLP, text', 3072, 768, {}],
  ['MLP, vision', 2048, 768, {}],
] as const satisfies readonly (readonly [string, number, number, LinearOptions])[]

/** Tokens; 197 for each image. */
const rows = [16, 128, 197, 8 * 197, 32 * 197, 8192]

/** Sequences × tokens, with slopes or without. */
const sequences = [
  [1, 197, false],
  [32, 197, false],
  [256, 197, false],
  [1, 512, true],
  [1, 2048, true],
  [1, 8192, true],
] as const

/** `linear` and `attention`, every rung, at the towers' shapes: GFLOP/s by the device's own timestamps where it has them. */
export async function benchWebgpu({ tiny, dtype, runs }: WebgpuBenchOptions): Promise<void> {
  const gpu = findGpu()
  const measure = async (
    kernels: WebgpuTable,
    name: string,
    make: (device: Device) => Promise<(scope: Scope) => void>,
  ) => {
    const device = await createWebgpuDevice(kernels, { source: { gpu }, reason: 'bench' })
    try {
      const record = await make(device)
      const times: number[] = []
      let flops = 0
      for (let run = -2; run < runs; run++) {
        const scope = device.scope()
        let ms = 0
        try {
          record(scope)
          flops = scope.commands.reduce((sum, { operation, parameters }) => sum + operation.flops(parameters), 0)
          await device.run(scope, { onCommand: (_command, time) => (ms += time) })
        } finally {
          scope.end()
        }
        if (run >= 0) times.push(ms) // the first compiles, the second is cut by what was measured
      }
      const { median, least, most } = spread(times)
      const rate = (flops / median / 1e6).toFixed(1)
      const range = `${least.toFixed(3)} to ${most.toFixed(3)}`
      console.log(`${name.padEnd(52)}${rate.padStart(9)} GFLOP/s${median.toFixed(3).padStart(11)} ms  ${range}`)
    } finally {
      device.dispose()
    }
  }

  const probe = await createWebgpuDevice({ linear: linearWebgpu }, { source: { gpu }, reason: 'bench' })
  console.log(`${probe.info.variants.adapter}; weights ${dtype}; median, least and most of ${runs} runs`)
  probe.dispose()

  for (const [label, width, features, options] of tiny ? layers.slice(0, 3) : layers) {
    for (const count of tiny ? [5, 33] : rows) {
      const [from, to] = tiny ? [width / 16, features / 16] : [width, features]
      for (const [rung, kernel] of Object.entries({ chosen: linearWebgpu, ...linearLadder })) {
        if (rung === '1-naive' && count > 1000) continue // seconds
        await measure({ linear: kernel }, `linear ${label}, ${count} × ${from} → ${to}, ${rung}`, async (device) => {
          const weight = device.allocate({ label: 'weight', role: 'matrix', shape: [to, from], dtype })
          await device.write(weight, 'f32', randomValues('weight', to * from, 1 / Math.sqrt(from)))
          const x = randomValues('x', count * from)
          return (scope) => void linear(scope, scope.input('x', 'f32', [count, from], x), { weight }, options)
        })
      }
    }
  }

  for (const [count, length, alibi] of tiny
    ? ([
        [2, 20, false],
        [1, 150, true],
      ] as const)
    : sequences) {
    const [heads, headDim] = tiny ? [2, 16] : [12, 64]
    const hidden = heads * headDim
    const qkv = randomValues('qkv', count * length * 3 * hidden)
    const slopes = Float32Array.from({ length: heads }, (_, i) => 2 ** ((-8 * (i + 1)) / heads))
    for (const [rung, kernel] of Object.entries({ chosen: attentionWebgpu, ...attentionLadder })) {
      const name = `attention ${count} × ${length} tokens${alibi ? ', slopes' : ''}, ${rung}`
      await measure({ attention: kernel }, name, async () => (scope) => {
        attention(scope, {
          qkv: scope.input('qkv', 'f32', [count * length, 3 * hidden], qkv),
          batch: batchInputs(scope, equalBatch(count, length)),
          heads,
          scale: 1 / Math.sqrt(headDim),
          slopes: alibi ? scope.input('slopes', 'f32', [heads], slopes) : undefined,
        })
      })
    }
  }
}

/** Of the runtime itself, else Dawn's, from the `webgpu` package: of spec/runtimes, or installed beside. */
function findGpu(): GPU {
  const own = (globalThis as { navigator?: { gpu?: GPU } }).navigator?.gpu
  if (own) return own
  const pinned = globalThis as { bareclipBenchDawn?: GPU } // collected as garbage, it would take the process with it
  const runtimes = createRequire(new URL('../spec/runtimes/package.json', import.meta.url))
  const { create } = runtimes('webgpu') as { create(options: readonly string[]): GPU }
  pinned.bareclipBenchDawn ??= create([])
  return pinned.bareclipBenchDawn
}
