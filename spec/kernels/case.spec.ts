import { deepEqual, equal, notDeepEqual, ok } from 'node:assert/strict'
import { errorOf, randomValues, scaleRows } from '../../kernels/case.ts'
import { allCases } from '../../kernels/cases.ts'
import { referenceKernels } from '../../kernels/reference.ts'

const { NaN: nan, POSITIVE_INFINITY: infinity } = Number

describe('the normalised error', () => {
  const rows: readonly [string, number[], number[], number, 'row' | 'tensor', { error: number; at: number }][] = [
    ['nothing to compare', [], [], 4, 'row', { error: 0, at: 0 }],
    ['equal', [1, -2, 3], [1, -2, 3], 3, 'row', { error: 0, at: 0 }],
    ['relative to the largest of the row', [0.5, 101, 8, 4], [0.5, 100, 8, 5], 2, 'row', { error: 0.125, at: 3 }],
    ['relative to the largest of the tensor', [1, 100, 8, 4], [1, 100, 8, 5], 2, 'tensor', { error: 0.01, at: 3 }],
    ['rows of zeros admit nothing', [1e-30, 0], [0, 0], 1, 'row', { error: 1e-30 / 2 ** -100, at: 0 }],
    ['a NaN that should not be there', [nan, 1], [1, 1], 2, 'row', { error: infinity, at: 0 }],
    ['a NaN that is missing', [1, 1], [1, nan], 2, 'row', { error: infinity, at: 1 }],
    ['an infinity that should not be there', [1, -infinity], [1, 1], 2, 'row', { error: infinity, at: 1 }],
    ['infinity or NaN is the same failure', [nan, infinity, 2], [infinity, nan, 2], 3, 'row', { error: 0, at: 0 }],
    ['an infinity sets no scale', [infinity, 1], [infinity, 2], 2, 'row', { error: 0.5, at: 1 }],
    ['too few', [1], [1, 2], 2, 'row', { error: infinity, at: 1 }],
    ['too many', [1, 2, 3], [1, 2], 2, 'row', { error: infinity, at: 2 }],
  ]
  for (const [name, got, want, width, per, expected] of rows) {
    it(name, () => deepEqual(errorOf(got, want, width, per), expected))
  }
})

/** Deno's deepEqual takes a NaN in a typed array for different from itself. */
const text = (data: unknown) =>
  JSON.stringify(data, (_, value) => (ArrayBuffer.isView(value) ? Array.from(value as Float32Array, String) : value))

describe('case tables', () => {
  it('names are unique, every operation has cases, every tolerance a reason', () => {
    const cases = allCases()
    const names = cases.map(({ operation, name }) => `${operation}: ${name}`)
    equal(new Set(names).size, names.length)
    deepEqual(new Set(cases.map(({ operation }) => operation)), new Set(Object.keys(referenceKernels)))
    for (const { tolerance, name } of cases) {
      const most = name.includes(' codes, ') ? 4e-4 : 1e-4 // beside codes x may be rounded too
      ok(tolerance.error >= 0 && tolerance.error < most, name)
      ok(tolerance.reason.length > 10, name)
    }
  })

  it('the values are the same each time, and other values in other cases', () => {
    for (const item of allCases().filter(({ operation }) => operation === 'linear' || operation === 'mean-pool')) {
      equal(text(item.data()), text(item.data()), item.name)
    }
    notDeepEqual(randomValues('a', 8), randomValues('b', 8))
  })

  it('random values have the mean and deviation they claim', () => {
    const values = randomValues('statistics', 40000, 3)
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length
    ok(Math.abs(mean) < 0.06, `mean ${mean}`)
    ok(Math.abs(Math.sqrt(variance) - 3) < 0.06, `deviation ${Math.sqrt(variance)}`)
    const lag = values.reduce((sum, value, i) => sum + value * (values[i + 1] ?? 0), 0) / values.length / variance
    ok(Math.abs(lag) < 0.02, `correlation with the next ${lag}`)
  })

  it('rows are scaled in turns', () => {
    deepEqual([...scaleRows(Float32Array.of(1, 2, 3, 4, 5, 6), 2, [1, 10])], [1, 2, 30, 40, 5, 6])
  })
})
