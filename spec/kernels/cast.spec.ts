import { deepEqual, equal, ok } from 'node:assert/strict'
import { runCase } from '../../kernels/case.ts'
import { type CastData, castCases } from '../../kernels/cast/cases.ts'
import { cast, castOperation } from '../../kernels/cast/cast.ts'
import { assertRefused, bits, checkedLoad, onEveryDevice } from './check.ts'
import { numberOf, roundedTo } from './naive-dtype.ts'

onEveryDevice('cast', 'cast', (device, under) => {
  for (const item of castCases()) {
    it(item.name, async () => {
      const data = item.data()
      const [got] = await runCase(device(), { load: checkedLoad(item) }, data)
      equal(got!.length, data.x.length)
      data.x.forEach((element, i) => {
        const value = numberOf(data.from, element)
        const want = roundedTo(data.to, value)
        const found = numberOf(data.to, got![i]!)
        ok(Object.is(found, want) || flushed(under.device, found, want), `${value}: ${found}, expected ${want}`)
      })
    })
  }

  it('gives the same bits alone and in any batch, run after run', async () => {
    for (const item of castCases()) {
      const data = item.data()
      const [whole] = await runCase(device(), item, data)
      const [again] = await runCase(device(), item, data)
      deepEqual(bits(again!), bits(whole!), item.name)
      for (const i of [0, 3, data.x.length - 1].filter((i) => i >= 0 && i < data.x.length)) {
        const alone: CastData = { ...data, shape: [1], x: data.x.slice(i, i + 1) }
        const [one] = await runCase(device(), item, alone)
        ok(Object.is(one![0], whole![i]), `${item.name}, element ${i}`)
      }
    }
  })

  it('keeps every 16-bit pattern through f32 and back', async () => {
    for (const dtype of ['f16', 'bf16'] as const) {
      const x = Uint16Array.from({ length: 65536 }, (_, i) => i)
      const item = castCases()[0]!
      const [wide] = await runCase(device(), item, { shape: [256, 256], from: dtype, to: 'f32', x })
      const [back] = await runCase(device(), item, { shape: [256, 256], from: 'f32', to: dtype, x: wide! })
      back!.forEach((pattern, i) => {
        ok(pattern === i || Number.isNaN(numberOf(dtype, i)), `${dtype} 0x${i.toString(16)} came back as ${pattern}`)
        equal(Number.isNaN(numberOf(dtype, pattern)), Number.isNaN(numberOf(dtype, i)))
      })
    }
  })

  it('refuses another shape', () => {
    const scope = device().scope()
    try {
      const x = scope.scratch('x', [3, 4])
      equal(cast(scope, x, 'f16').dtype, 'f16')
      assertRefused(
        () => scope.record(castOperation, { x, y: scope.scratch('y', [12], 'i8') }),
        'SHAPE_MISMATCH',
        'cast y: expected shape (3, 4), found (12) in y',
      )
    } finally {
      scope.end()
    }
  })
})

/** WebGPU may take a number below the normal range for zero. */
function flushed(device: string, found: number, want: number): boolean {
  return device === 'webgpu' && found === 0 && Math.abs(want) < 2 ** -14
}
