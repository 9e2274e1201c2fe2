import assert from 'node:assert/strict'
import { expectedOf } from '../../bench/kernels/reference-values.ts'
import { makeResident } from '../../bench/kernels/resident.ts'
import { limitOf } from '../../bench/kernels/roofline.ts'
import { calibrated, sampleInTurn } from '../../bench/kernels/sampler.ts'
import { shapesFor } from '../../bench/kernels/shapes/shapes.ts'
import { referenceKernels } from '../../kernels/reference.ts'
import { createReferenceDevice } from '../../runtime/reference/device.ts'

const one = (operation: string, size: string, dtype: 'f32' | 'q8' = 'f32') =>
  shapesFor({ operations: [operation], dtypes: [dtype], sizes: [size], quick: false })[0]!

describe('bench kernels: the roofline', () => {
  const ceilings = { peak: { name: 'peak', rate: 100 }, copy: 10, read: 20 }
  for (const [what, flops, bytes, bytesWritten, expected] of [
    ['much work on little memory', 1e9, 1e6, 1e5, { bound: 'compute', roof: 'peak', ms: 10 }],
    ['a copy', 0, 2e8, 1e8, { bound: 'memory', roof: 'copy', ms: 20 }],
    ['reading alone', 1e6, 2e8, 0, { bound: 'memory', roof: 'read', ms: 10 }],
    ['reading, and writing a quarter', 1e6, 2e8, 5e7, { bound: 'memory', roof: 'copy', ms: 15 }],
    ['writing alone', 0, 1e8, 1e8, { bound: 'memory', roof: 'copy', ms: 10 }],
  ] as const) {
    it(what, () => {
      const { ms, ...rest } = limitOf({ flops, bytes, bytesWritten }, ceilings)
      const { ms: wanted, ...others } = expected
      assert.deepEqual(rest, others)
      assert.ok(Math.abs(ms / wanted - 1) < 1e-9, `${ms}`)
    })
  }
})

describe('bench kernels: samples', () => {
  it('contenders take turns, each as often as it should', async () => {
    const calls: string[] = []
    const contender = (name: string, rounds?: number) => ({
      ...{ calls: 10, seconds: 0 },
      ...(rounds !== undefined && { rounds }),
      run: async () => void calls.push(name),
    })
    const times = await sampleInTurn([contender('a'), contender('b', 1), contender('c')], { rounds: 3, seconds: 9 })
    assert.equal(calls.join(''), 'abcacac')
    assert.deepEqual(
      times.map((list) => list.length),
      [3, 1, 3],
    )
    assert.ok(times.flat().every((ms) => ms >= 0 && ms < 1000))
  })

  it('a sample is the time of one call in ms', async () => {
    const run = () => new Promise<void>((resolve) => setTimeout(resolve, 40))
    const [times] = await sampleInTurn([{ calls: 4, run }], { rounds: 1, seconds: 0.4 })
    assert.ok(times!.length >= 2 && times!.every((ms) => ms > 9 && ms < 200), `${times}`)
  })

  it('what a contender throws ends it, and so does the signal', async () => {
    const error = new Error('broken')
    const broken = { calls: 1, run: () => Promise.reject(error) }
    await assert.rejects(sampleInTurn([broken], { rounds: 1, seconds: 0 }), (thrown) => thrown === error)
    const signal = AbortSignal.abort(error)
    const fine = { calls: 1, run: async () => {} }
    await assert.rejects(sampleInTurn([fine], { rounds: 1, seconds: 0, signal }), (thrown) => thrown === error)
  })

  it('as many calls as make a pass long enough', async () => {
    let most = 0
    const { calls } = await calibrated(
      (count) => {
        most = Math.max(most, count)
        return new Promise((resolve) => setTimeout(resolve, count / 10))
      },
      { share: 0.5 },
    )
    assert.ok(calls > 1 && calls === most, `${calls}`)
  })
})

describe('bench kernels: what a shape should give', () => {
  it('rows that stand for others are right for all of them', async () => {
    for (const dtype of ['f32', 'q8'] as const) {
      const shape = one('linear', '70x24x10', dtype)
      const { distinct: _, ...whole } = shape
      const [few, all] = [await expectedOf(shape), await expectedOf(whole)]
      assert.deepEqual(few, all)
      assert.equal(all.values.length, 700)
    }
  })

  it('of what would take seconds some elements are known, in every head and everywhere along the sequence', async () => {
    const shape = one('attention', '1x128')
    const [some, all] = [await expectedOf(shape, undefined, 1e7), await expectedOf(shape)]
    const rate = some.known / all.known
    assert.ok(all.known === 128 * 768 && rate > 0.1 && rate < 0.3, `${rate}`)
    const known = Array.from(some.values, (value) => !Number.isNaN(value))
    assert.ok(known.every((is, i) => !is || some.values[i] === all.values[i]))
    for (let head = 0; head < 12; head++) {
      for (let row = 0; row < 128; row += 32) {
        const there = Array.from({ length: 32 }, (_, i) => known[(row + i) * 768 + head * 64])
        assert.ok(there.includes(true), `head ${head}, from row ${row}`)
      }
    }
  })

  it('operands lie there several times, and go', async () => {
    const device = createReferenceDevice(referenceKernels)
    const shape = one('layer-norm', '64x256')
    const resident = await makeResident(device, shape, shape.data())
    const bytes = 4 * 64 * 256
    assert.deepEqual(resident.work, { flops: resident.work.flops, bytes: resident.work.bytes, bytesWritten: bytes })
    assert.ok(device.memory().weights > 100 * 2 * bytes)
    const scope = device.scope()
    resident.record(scope, 3)
    const outputs = new Set(scope.commands.map(({ operation, parameters }) => operation.writes(parameters)[0]!.storage))
    assert.deepEqual([scope.commands.length, outputs.size], [3, 3])
    await device.run(scope)
    scope.end()
    resident.free()
    assert.equal(device.memory().weights, 0)
    device.dispose()
  })
})

describe('bench kernels: shapes', () => {
  const all = shapesFor({ operations: ['linear', 'attention', 'layer-norm'], dtypes: ['f32', 'f16'], quick: false })

  it('are those of both towers, none twice', () => {
    const names = all.map(({ operation, name, dtype }) => `${operation} ${name} ${dtype}`)
    assert.equal(new Set(names).size, names.length)
    for (const name of [
      'linear 16x768x2304 bias f32',
      'linear 512x768x3072 gelu gate f16',
      'linear 1576x2048x768 bias residual f32',
      'linear 197x768x2048 bias silu gate f32',
      'attention 1x512, 12 heads of 64, slopes f32',
      'attention 8x197, 12 heads of 64 f32',
      'layer-norm 1576x2048 f32',
    ]) {
      assert.ok(names.includes(name), name)
    }
  })

  it('by size: as the towers have it where they do, else with a bias', () => {
    const sized = (size: string) => shapesFor({ operations: ['linear'], dtypes: ['f32'], sizes: [size], quick: false })
    assert.deepEqual(
      sized('128x768x3072').map(({ name }) => name),
      ['128x768x3072 gelu gate'],
    )
    assert.deepEqual(
      sized('3x5x7').map(({ name }) => name),
      ['3x5x7 bias'],
    )
  })
})
