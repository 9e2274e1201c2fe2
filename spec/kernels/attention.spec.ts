import { deepEqual, equal, ok } from 'node:assert/strict'
import { alibiSlopes } from '../../kernels/attention/alibi.ts'
import { attention } from '../../kernels/attention/attention.ts'
import { type AttentionData, attentionCases } from '../../kernels/attention/cases.ts'
import { softmax } from '../../kernels/attention/reference.ts'
import { batchInputs } from '../../kernels/case.ts'
import { equalBatch, raggedBatch } from '../../runtime/batch.ts'
import {
  assertRefused,
  assertWithin,
  bits,
  itComputes,
  itKeepsBits,
  onEveryDevice,
  onlyOutput,
  type Part,
} from './check.ts'
import { golden, goldenTolerance } from './goldens.ts'
import { matrixOf, attention as naive, softmax as naiveSoftmax, slopes } from './naive.ts'

/** Tokens of each sequence: [first, end) */
const sequences = ({ batch }: AttentionData) =>
  Array.from({ length: batch.sequences }, (_, s) => [batch.offsets[s]!, batch.offsets[s + 1]!] as const)

function expected(data: AttentionData) {
  const { batch, heads, headDim, qkv, scale } = data
  const rows = matrixOf(qkv, 3 * heads * headDim)
  return sequences(data).flatMap(([from, to]) =>
    naive(rows.slice(from, to), [...batch.positions.slice(from, to)], heads, scale, data.slopes && [...data.slopes]),
  )
}

const sequencesAlone = (data: AttentionData): Part<AttentionData>[] =>
  sequences(data).map(([from, to]) => {
    const hidden = data.heads * data.headDim
    const batch = raggedBatch([data.batch.positions.slice(from, to)])
    return { at: from * hidden, data: { ...data, batch, qkv: data.qkv.slice(from * 3 * hidden, to * 3 * hidden) } }
  })

onEveryDevice('attention', 'attention', (device, under) => {
  itComputes(device, under, attentionCases(), expected)
  itKeepsBits(
    device,
    attentionCases().filter(({ name }) => !name.startsWith('2048') && !name.startsWith('1025')),
    sequencesAlone,
  )

  it('only distances between positions count, to the bit', async () => {
    const item = attentionCases().find(({ name }) => name === 'positions that do not start at 0')!
    const data = item.data()
    const shifted = raggedBatch([data.batch.positions.map((position) => position - 8000)])
    const got = await onlyOutput(device(), item, { ...data, batch: shifted })
    deepEqual(bits(got), bits(await onlyOutput(device(), item, data)))
  })

  it('equal scores share equally, one huge score takes all', async () => {
    const equalScores = attentionCases().find(({ name }) => name === 'every key alike')!
    const data = equalScores.data()
    const got = await onlyOutput(device(), equalScores, data)
    const means = matrixOf(data.qkv, 192)
      .slice(0, 64)
      .reduce((sums, row) => sums.map((total, d) => total + row[128 + d]! / 64), new Array<number>(64).fill(0))
    assertWithin(
      got.subarray(0, 64 * 64),
      Array.from({ length: 64 }, () => means),
      { error: 1e-5, per: 'row' },
    )

    const oneHuge = attentionCases().find(({ name }) => name === 'one huge score')!
    const { qkv } = oneHuge.data()
    const taken = await onlyOutput(device(), oneHuge, oneHuge.data())
    for (let i = 0; i < 66; i++) {
      for (let d = 0; d < 32; d++) equal(taken[i * 32 + d], qkv[50 * 96 + 64 + d], `token ${i}`)
    }
  })

  it('refuses tensors that do not fit', () => {
    const scope = device().scope()
    try {
      const batch = batchInputs(scope, equalBatch(2, 5))
      const fitting = { qkv: scope.scratch('qkv', [10, 48]), batch, heads: 2, scale: 1 }
      attention(scope, fitting)
      assertRefused(
        () => attention(scope, { ...fitting, heads: 3 }),
        'SHAPE_MISMATCH',
        'attention y: expected shape (10, 15), found (10, 16) in attention',
      )
      assertRefused(
        () => attention(scope, { ...fitting, qkv: scope.scratch('qkv', [9, 48]) }),
        'SHAPE_MISMATCH',
        'attention positions: expected shape (9), found (10) in positions',
      )
      assertRefused(
        () => attention(scope, { ...fitting, slopes: scope.scratch('slopes', [3]) }),
        'SHAPE_MISMATCH',
        'attention slopes: expected shape (2), found (3) in slopes',
      )
      assertRefused(
        () => attention(scope, { ...fitting, qkv: scope.scratch('qkv', [10, 48], 'f16') }),
        'SHAPE_MISMATCH',
        'attention qkv: expected dtype f32, found f16 in qkv',
      )
    } finally {
      scope.end()
    }
  })
})

describe('softmax', () => {
  for (const length of [1, 2, 5, 64, 197, 257, 1000]) {
    it(`golden values, ${length} scores`, () => {
      const rows = matrixOf(golden(`softmax/${length}/x`), length)
      const wants = matrixOf(golden(`softmax/${length}/y`), length)
      ok(rows.length === 6)
      rows.forEach((row, r) => {
        const scores = Float64Array.from([...row, 7, 7]) // what lies behind is not touched
        softmax(scores, length)
        assertWithin(scores.subarray(0, length), [wants[r]!], { error: goldenTolerance, per: 'row' })
        assertWithin(naiveSoftmax(row), [wants[r]!], { error: goldenTolerance, per: 'row' })
        equal(scores[length], 7)
      })
    })
  }
})

describe('ALiBi slopes', () => {
  for (let heads = 1; heads <= 32; heads++) {
    it(`golden values, ${heads} heads`, () => {
      const want = golden(`alibi_slopes/${heads}`)
      const got = alibiSlopes(heads)
      equal(got.length, heads)
      want.forEach((slope, head) => {
        ok(Math.abs(got[head]! - slope) <= goldenTolerance * slope, `head ${head}: ${got[head]}, expected ${slope}`)
        ok(Math.abs(slopes(heads)[head]! - slope) <= goldenTolerance * slope)
      })
    })
  }
})
