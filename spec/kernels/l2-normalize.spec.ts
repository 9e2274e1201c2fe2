import { ok } from 'node:assert/strict'
import { type L2NormalizeData, l2NormalizeCases, loadL2Normalize } from '../../kernels/l2-normalize/cases.ts'
import { l2Normalize } from '../../kernels/l2-normalize/l2-normalize.ts'
import { normalized } from '../../kernels/l2-normalize/reference.ts'
import { assertRefused, assertWithin, itComputes, itKeepsBits, onEveryDevice, onlyOutput, type Part } from './check.ts'
import { golden, goldenTolerance } from './goldens.ts'
import { matrixOf, l2Normalize as naive } from './naive.ts'

const rowsAlone = (data: L2NormalizeData): Part<L2NormalizeData>[] =>
  Array.from({ length: data.rows }, (_, row) => {
    const x = data.x.slice(row * data.width, (row + 1) * data.width)
    return { at: row * data.dimensions, data: { ...data, rows: 1, x } }
  })

const goldenCase = { operation: 'l2-normalize', name: 'golden', load: loadL2Normalize }

onEveryDevice('l2 normalisation', 'l2-normalize', (device, under) => {
  itComputes(device, under, l2NormalizeCases(), ({ x, width, dimensions }) =>
    matrixOf(x, width).map((row) => naive(row.slice(0, dimensions))),
  )
  itKeepsBits(device, l2NormalizeCases(), rowsAlone)

  for (const [name, dimensions] of [['y', 96] as const, ['y_first_32', 32] as const]) {
    it(`golden values, ${dimensions} of 96`, async () => {
      const data: L2NormalizeData = { rows: 4, width: 96, dimensions, x: golden('l2_normalize/x') }
      const want = matrixOf(golden(`l2_normalize/${name}`), dimensions)
      assertWithin(await onlyOutput(device(), goldenCase, data), want, { error: goldenTolerance, per: 'row' })
    })
  }

  it('rows come out with length 1, cut or not', async () => {
    for (const item of l2NormalizeCases().filter(({ name }) => name.startsWith('768 cut to'))) {
      const data = item.data()
      for (const row of matrixOf(await onlyOutput(device(), item, data), data.dimensions)) {
        ok(Math.abs(Math.hypot(...row) - 1) < 1e-6, item.name)
      }
    }
  })

  it('refuses tensors that do not fit', () => {
    const scope = device().scope()
    try {
      assertRefused(
        () => l2Normalize(scope, scope.scratch('x', [3, 8]), 9),
        'SHAPE_MISMATCH',
        'l2-normalize x: expected shape (3, 9), found (3, 8) in x',
      )
      assertRefused(
        () => l2Normalize(scope, scope.scratch('x', [3, 8], 'f16'), 8),
        'SHAPE_MISMATCH',
        'l2-normalize x: expected dtype f32, found f16 in x',
      )
    } finally {
      scope.end()
    }
  })
})

describe('normalising one row on the host', () => {
  it('golden values', () => {
    const want = matrixOf(golden('l2_normalize/y'), 96)
    matrixOf(golden('l2_normalize/x'), 96).forEach((row, r) => {
      assertWithin(normalized(row), [want[r]!], { error: goldenTolerance, per: 'row' })
    })
  })
})
