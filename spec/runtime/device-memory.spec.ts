import { deepEqual, equal, ok, rejects, throws } from 'node:assert/strict'
import { attention } from '../../kernels/attention/attention.ts'
import { batchInputs, randomValues, runCase } from '../../kernels/case.ts'
import { layerNorm } from '../../kernels/layer-norm/layer-norm.ts'
import { linear } from '../../kernels/linear/linear.ts'
import { planArena } from '../../runtime/arena.ts'
import { equalBatch } from '../../runtime/batch.ts'
import type { Device } from '../../runtime/device.ts'
import { BareclipError } from '../../runtime/errors.ts'
import { createRecording } from '../../runtime/scope.ts'
import { rowsOf, type Tensor } from '../../runtime/tensor.ts'
import { devices } from '../devices.ts'
import { longLinear, quickCase, withDevice } from './passes.ts'

async function runOnce(device: Device, record: (scope: ReturnType<Device['scope']>) => Tensor): Promise<void> {
  const scope = device.scope()
  try {
    record(scope)
    await device.run(scope)
  } finally {
    scope.end()
  }
}

const outOfMemory = (label: string) => (error: unknown) => {
  ok(error instanceof BareclipError, String(error))
  equal(error.code, 'OUT_OF_MEMORY')
  ok(error.message.startsWith(`no memory for ${label}`), error.message)
  return true
}

for (const { name, create } of devices) {
  describe(`memory on ${name}`, () => {
    it('a new device holds nothing', async () => {
      await withDevice(create, async (device) => {
        deepEqual(device.memory(), { weights: 0, scratch: 0, peak: 0 })
      })
    })

    it('counts weights until they are freed, once', async () => {
      await withDevice(create, async (device) => {
        const table = device.allocate({ label: 'table', role: 'table', shape: [100, 8], dtype: 'f16' })
        const withTable = device.memory().weights
        ok(withTable >= 1600 && withTable < 1600 + 65536, `${withTable}`)
        const vector = device.allocate({ label: 'vector', role: 'vector', shape: [1000], dtype: 'f32' })
        ok(device.memory().weights >= withTable + 4000)
        equal(device.memory().peak, device.memory().weights)
        device.free(vector)
        equal(device.memory().weights, withTable)
        device.free(vector)
        equal(device.memory().weights, withTable)
        device.free(table)
        equal(device.memory().weights, 0)
        ok(device.memory().peak >= 5600, 'the peak stays')
      })
    })

    it('scratch stays as it is when a pass is repeated, or a smaller one comes', async () => {
      await withDevice(create, async (device) => {
        const large = await longLinear(device, 128, 6)
        const small = await longLinear(device, 32, 6)
        await runOnce(device, large)
        const warm = device.memory()
        ok(warm.scratch >= 2 * 128 * 128 * 4, 'two tensors at least')
        ok(warm.scratch < 3 * 128 * 128 * 4 + 65536, 'six steps take turns')
        ok(warm.peak >= warm.weights + warm.scratch)
        for (let i = 0; i < 3; i++) {
          await runOnce(device, large)
          await runOnce(device, small)
          deepEqual(device.memory(), warm)
        }
      })
    })

    it('scratch grows for a larger pass', async () => {
      await withDevice(create, async (device) => {
        await runOnce(device, await longLinear(device, 32, 2))
        const { scratch } = device.memory()
        await runOnce(device, await longLinear(device, 256, 2))
        ok(device.memory().scratch > scratch)
        equal(device.memory().peak, device.memory().weights + device.memory().scratch)
      })
    })

    it('attention over 2048 tokens holds nothing of tokens × tokens', async () => {
      await withDevice(create, async (device) => {
        const scope = device.scope()
        try {
          const batch = batchInputs(scope, equalBatch(1, 2048))
          const qkv = scope.input('qkv', 'f32', [2048, 24], randomValues('2048 tokens', 2048 * 24))
          scope.output(attention(scope, { qkv, batch, heads: 1, scale: 0.35 }))
          await device.run(scope)
          ok(device.memory().scratch < 1e6, `${device.memory().scratch} bytes; one score each would take 16.8 MB`)
        } finally {
          scope.end()
        }
      })
    })

    it('a weight too large is OUT_OF_MEMORY, and the device works on', async () => {
      await withDevice(create, async (device) => {
        for (const [role, shape] of [['vector', [2 ** 40]] as const, ['matrix', [2 ** 20, 2 ** 21]] as const]) {
          throws(() => device.allocate({ label: 'huge', role, shape, dtype: 'f32' }), outOfMemory('huge'))
        }
        equal(device.memory().weights, 0)
        const item = quickCase()
        ok((await runCase(device, item, item.data()))[0]!.length > 0)
      })
    })

    it('scratch too large is OUT_OF_MEMORY, and the device works on', async () => {
      await withDevice(create, async (device) => {
        const item = quickCase()
        const before = await runCase(device, item, item.data())
        const rows = 2 ** 20
        const weight = device.allocate({ label: 'weight', role: 'matrix', shape: [rows, 1], dtype: 'f32' })
        const scope = device.scope()
        try {
          const x = scope.input('x', 'f32', [rows, 1], new Float32Array(rows))
          scope.output(linear(scope, x, { weight })) // 4 TiB
          await rejects(device.run(scope), outOfMemory(''))
        } finally {
          scope.end()
        }
        deepEqual(await runCase(device, item, item.data()), before)
      })
    })

    it('disposing lets everything go', async () => {
      const device = await create()
      await runOnce(device, await longLinear(device, 64, 2))
      const { peak } = device.memory()
      device.dispose()
      device.dispose()
      deepEqual(device.memory(), { weights: 0, scratch: 0, peak })
    })

    it('using it after dispose is DISPOSED', async () => {
      const device = await create()
      const spec = { label: 'w', role: 'vector', shape: [4], dtype: 'f32' } as const
      const weight = device.allocate(spec)
      const scope = device.scope()
      const x = scope.output(scope.input('x', 'f32', [1], Float32Array.of(1)))
      device.dispose()
      const disposed = { name: 'BareclipError', code: 'DISPOSED', message: 'this model was disposed: load it again' }
      throws(() => device.allocate(spec), disposed)
      throws(() => device.scope(), disposed)
      await rejects(device.write(weight, 'f32', new Float32Array(4)), disposed)
      await rejects(device.run(scope), disposed)
      await rejects(device.read(x), disposed)
      device.free(weight)
      scope.end()
    })

    it('disposing while it runs ends the run with DISPOSED', async () => {
      const device = await create()
      const record = await longLinear(device, 1024, 400)
      const scope = device.scope()
      record(scope)
      const running = device.run(scope)
      setTimeout(() => device.dispose(), 30)
      await rejects(running, { code: 'DISPOSED' })
    })
  })
}

describe('scratch of one layer over 2048 tokens', () => {
  it('stays under 100 MB at full width', () => {
    const scope = createRecording(() => {})
    const weight = (shape: number[]): Tensor => ({
      label: 'weight',
      dtype: 'f32',
      shape,
      storage: { lifetime: 'weights', bytes: 0 },
      offset: 0,
    })
    const norm = { weight: weight([768]), bias: weight([768]), epsilon: 1e-12 }
    const batch = batchInputs(scope, equalBatch(1, 2048))
    const x = scope.input('x', 'f32', [2048, 768], new Float32Array(2048 * 768))
    const qkv = linear(scope, x, { weight: weight([2304, 768]) })
    const context = attention(scope, { qkv, batch, heads: 12, scale: 1 / 8 })
    const middle = layerNorm(scope, linear(scope, context, { weight: weight([768, 768]) }, { residual: x }), norm)
    const sum = scope.scratch('mlp', [2048, 768])
    for (let from = 0; from < 2048; from += 1024) {
      const rows = rowsOf(middle, from, from + 1024)
      const gated = linear(scope, rows, { weight: weight([6144, 768]) }, { gate: 'gelu' })
      linear(scope, gated, { weight: weight([768, 3072]) }, { residual: rows, into: rowsOf(sum, from, from + 1024) })
    }
    const y = scope.output(layerNorm(scope, sum, norm))
    const { bytes } = planArena(scope.commands, [...scope.inputs.keys()], [y])
    ok(bytes < 100e6, `${bytes} bytes`)
    ok(bytes > 4 * 2048 * 768 * 4, 'qkv and x at least')
  })
})
