import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { joinHeads, splitHeads, transposed } from '../../bench/parts/data.ts'
import type { Part, PartItem } from '../../bench/parts/items.ts'
import { compareParts, complaintOf, type PartContender } from '../../bench/parts/parts.ts'
import { createContender } from '../../bench/peers/contender.ts'
import { createStage } from '../../bench/peers/stage.ts'
import { inFolder } from '../apps/cli-run.ts'

const matmul: PartItem = {
  ...{ part: 'matmul', name: '2x3x5', rows: 2, width: 3, features: 5 },
  ...{ work: 60 / 1e6, unit: 'GFLOP/s' },
}

const all: readonly Part[] = ['matmul', 'softmax', 'layer-norm', 'safetensors', 'jpeg', 'png', 'tokenizer']

/** A measured process that took `ms` for what it says the result is. */
function fake(folder: string, name: string, ms: number, rows: string, parts = all): PartContender {
  const file = join(folder, `${name}.mjs`)
  writeFileSync(
    file,
    `process.on('disconnect', () => process.exit())
    process.on('message', ({ rows }) => process.send({ ms: ${ms}, ...(rows && { rows: ${rows} }) }))
    process.send({ title: '${name}!' })\n`,
  )
  const contender = createContender<PartItem>({ name, file, args: [], node: process.execPath, limit: 20 })
  return { contender, parts }
}

describe('bench: parts', () => {
  it('a contender that computes something wrong is reported and not timed; whoever cannot do a part is left out', () =>
    inFolder(async (folder) => {
      const contenders = [
        fake(folder, 'ours', 10, '[Float32Array.of(1, 2, -4)]'),
        fake(folder, 'right', 30, '[Float32Array.of(1, 2, -4.00001)]'),
        fake(folder, 'wrong', 1, '[Float32Array.of(1, 2.01, -4)]'),
        fake(folder, 'short', 1, '[Float32Array.of(1, 2)]'),
        fake(folder, 'decoder', 1, '[]', ['png']),
      ]
      let printed = ''
      const print = (text: string) => {
        printed += text
      }
      try {
        const { parts, contenders: titles } = await compareParts([matmul], contenders, { rounds: 3, print })
        assert.equal(parts.length, 1)
        const { part, name, contenders: results } = parts[0]!
        const one = { median: 10, least: 10, most: 10 }
        const three = { median: 30, least: 30, most: 30 }
        assert.deepEqual([part, name], ['matmul', '2x3x5'])
        assert.deepEqual(results, [
          { name: 'ours', ms: one, rate: 6e-6, unit: 'GFLOP/s' },
          {
            ...{ name: 'right', ms: three, rate: 2e-6, unit: 'GFLOP/s' },
            ratio: { median: 3, least: 3, most: 3 },
          },
          {
            name: 'wrong',
            failure: 'computes something else than ours (element 1: 2.009999990463257, ours 2), so it is not timed',
          },
          {
            name: 'short',
            failure: 'computes something else than ours (2 numbers, expected 3), so it is not timed',
          },
        ])
        assert.deepEqual(titles, { ours: 'ours!', right: 'right!', wrong: 'wrong!', short: 'short!' })
        assert.match(printed, /^\nmatmul, 2x3x5\n.*\n {2}ours .*\n {2}right .* 3\.00× \(3\.00 … 3\.00\)\n {2}wrong: /)
      } finally {
        for (const { contender } of contenders) await contender.stop()
      }
    }))

  for (const [part, got, want, complaint] of [
    ['matmul', [1, 1e-7], [1, 0], undefined],
    ['layer-norm', [Number.NaN], [1], /element 0: NaN, ours 1/],
    ['softmax', [Number.POSITIVE_INFINITY], [1], /element 0: Infinity/],
    ['tokenizer', [3, 7], [3, 7], undefined],
    ['tokenizer', [3, 8], [3, 7], /element 1: 8, ours 7/],
    ['png', [255], [254], /element 0: 255, ours 254/],
    ['safetensors', [5, 6], [5], /2 numbers, expected 1/],
    ['jpeg', [10, 20], [11, 18], undefined],
    ['jpeg', [10, 20], [10, 90], /35\.0 levels of 255 on average/],
    ['jpeg', undefined, [10], /no numbers, expected 1/],
  ] as const) {
    it(`${part}: ${got} for ${want} ${complaint ? 'is' : 'is not'} complained of`, () => {
      const rows = (values: readonly number[] | undefined) => values && [values]
      const found = complaintOf(part, { name: 'a', rows: rows(got) }, { name: 'ours', rows: rows(want) })
      if (complaint) assert.match(found!, complaint)
      else assert.equal(found, undefined)
    })
  }

  it('heads are split and joined, matrices transposed', () => {
    const item = { part: 'softmax', name: '', tokens: 2, heads: 3, headDim: 4, work: 1, unit: 'GFLOP/s' } as const
    const qkv = Float32Array.from({ length: 2 * 36 }, (_, i) => i)
    const [q, , v] = splitHeads(qkv, item)
    // token 1, head 2, element 3
    assert.deepEqual([q![(2 * 2 + 1) * 4 + 3], v![(2 * 2 + 1) * 4 + 3]], [36 + 11, 36 + 24 + 11])
    assert.deepEqual(joinHeads(q!, item), Float32Array.from([...qkv.subarray(0, 12), ...qkv.subarray(36, 48)]))
    assert.deepEqual(transposed(Float32Array.of(1, 2, 3, 4, 5, 6), 3), Float32Array.of(1, 4, 2, 5, 3, 6))
  })

  it('our own process does a matmul, bundled', async () => {
    const stage = await createStage(['../parts/ours.ts'])
    const file = join(stage.folder, 'ours.mjs')
    const contender = createContender<PartItem>({
      ...{ name: 'ours', file, args: ['1'], node: process.execPath, limit: 60 },
    })
    try {
      const { rows, error } = await contender.ask(matmul, true)
      assert.equal(error, undefined)
      assert.ok(rows![0] instanceof Float32Array && rows![0].length === 10)
      assert.match(contender.title!, /^wasm, 1 threads, /)
      assert.ok((await contender.ask(matmul)).ms! > 0)
    } finally {
      await contender.stop()
      stage.dispose()
    }
  })
})
