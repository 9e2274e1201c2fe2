import { doesNotThrow, equal, ok, throws } from 'node:assert/strict'
import { BareclipError, describe as describeValue, invariant, messageOf } from '../../runtime/errors.ts'

describe('errors', () => {
  it('carry a code, a message and a cause', () => {
    const cause = new RangeError('no room')
    const error = new BareclipError('OUT_OF_MEMORY', 'no memory for x', { cause })
    ok(error instanceof Error)
    equal(error.name, 'BareclipError')
    equal(error.code, 'OUT_OF_MEMORY')
    equal(error.message, 'no memory for x')
    equal(error.cause, cause)
    equal(String(error), 'BareclipError: no memory for x')
  })

  it('have no cause unless given one', () => {
    ok(!('cause' in new BareclipError('DISPOSED', 'gone')))
  })

  it('of our own making are no BareclipError', () => {
    doesNotThrow(() => invariant(1, 'never'))
    throws(
      () => invariant(0, 'two scopes'),
      (error) => {
        ok(error instanceof Error && !(error instanceof BareclipError))
        equal(error.message, 'bareclip bug: two scopes')
        return true
      },
    )
  })

  const described: readonly [unknown, string][] = [
    ['abc', '"abc"'],
    ['', '""'],
    ['a "b"\n', '"a \\"b\\"\\n"'],
    ['x'.repeat(40), `"${'x'.repeat(40)}"`],
    ['x'.repeat(41), `"${'x'.repeat(40)}…"`],
    [12, '12'],
    [-0, '0'],
    [Number.NaN, 'NaN'],
    [7n, '7n'],
    [true, 'true'],
    [undefined, 'undefined'],
    [null, 'null'],
    [[], 'an array of 0'],
    [[1, [2]], 'an array of 2'],
    [{}, 'an object (Object)'],
    [new Map(), 'an object (Map)'],
    [new Uint8Array(3), 'an object (Uint8Array)'],
    [Object.create(null), 'an object (no prototype)'],
    [() => {}, 'a function'],
    [class A {}, 'a function'],
    [Symbol('s'), 'Symbol(s)'],
  ]
  for (const [value, text] of described) {
    it(`describes ${text}`, () => equal(describeValue(value), text))
  }

  it('takes a message from anything thrown', () => {
    equal(messageOf(new TypeError('bad')), 'bad')
    equal(messageOf('bad'), 'bad')
    equal(messageOf(undefined), 'undefined')
  })
})
