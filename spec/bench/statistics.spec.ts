import assert from 'node:assert/strict'
import { geometricMean, spread } from '../../bench/statistics.ts'
import { digits, table } from '../../bench/table.ts'

describe('bench: statistics', () => {
  it('the geometric mean of a ratio and its inverse is 1', () => {
    for (const [values, expected] of [
      [[2, 0.5], 1],
      [[3], 3],
      [[1, 10, 100], 10],
      [[2, 8, 4, 4], 4],
    ] as const) {
      assert.ok(Math.abs(geometricMean(values) / expected - 1) < 1e-12, `${values} → ${geometricMean(values)}`)
    }
    assert.ok(Number.isNaN(geometricMean([])))
  })

  it('median and spread do not mind the order, and leave the list as it is', () => {
    const values = [10, 9, 100, 1]
    assert.deepEqual(spread(values), { median: 9.5, least: 1, most: 100 })
    assert.deepEqual(values, [10, 9, 100, 1])
    assert.deepEqual(spread([3, 1, 2]), { median: 2, least: 1, most: 3 })
    assert.deepEqual(spread([7]), { median: 7, least: 7, most: 7 })
    assert.throws(() => spread([]), RangeError)
  })

  it('numbers keep about three digits', () => {
    assert.deepEqual([0, 0.0123, 1.005, 12.34, 123.4, 12345, Number.NaN, Infinity].map(digits), [
      '0.000',
      '0.012',
      '1.00',
      '12.3',
      '123',
      '12345',
      '-',
      '-',
    ])
  })

  it('columns line up, the first to the left', () => {
    assert.equal(
      table([
        ['a', 'ms'],
        ['long', '1.5', 'x'],
      ]),
      'a      ms\nlong  1.5  x\n',
    )
  })
})
