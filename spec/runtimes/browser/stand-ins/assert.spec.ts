import * as peer from 'node:assert/strict'
import * as own from './assert.ts'

// Under Node `peer` is node:assert/strict itself, in a browser it is `own` once more.
const implementations = { peer, own }

const looped = (depth: number) => {
  const loop: { self?: unknown } = {}
  let outer: { self?: unknown } = loop
  for (let i = 0; i < depth; i++) outer = { self: outer }
  loop.self = outer
  return loop
}
class Point {
  readonly x: number
  constructor(x: number) {
    this.x = x
  }
}
const error = (message: string, more: object = {}) => Object.assign(new Error(message), more)
const tagged = (value: unknown) => ({ [Symbol.for('tag')]: value })
const holed = Object.assign([], { 0: 1, 2: 3 })
const floats = (...values: number[]) => new Float32Array(values)
const noted = <T extends object>(value: T, note: unknown) => Object.assign(value, { note })

const alike: [string, unknown, unknown][] = [
  ['NaN', Number.NaN, Number.NaN],
  ['nested', { a: [1, { b: 2n }], c: null }, { c: null, a: [1, { b: 2n }] }],
  ['holes', holed, Object.assign([], holed)],
  ['typed arrays', floats(1, Number.NaN, -0), floats(1, Number.NaN, -0)],
  ['a window of a typed array', floats(0, 1, 2).subarray(1), floats(1, 2)],
  ['DataViews', new DataView(new ArrayBuffer(3), 1), new DataView(new ArrayBuffer(2))],
  ['ArrayBuffers', Uint8Array.of(1, 2).buffer, Uint8Array.of(1, 2).buffer],
  [
    'Maps in another order',
    new Map([
      [{ a: 1 }, 1],
      [{ a: 2 }, 2],
    ]),
    new Map([
      [{ a: 2 }, 2],
      [{ a: 1 }, 1],
    ]),
  ],
  ['Sets in another order', new Set([{ a: 1 }, 2]), new Set([2, { a: 1 }])],
  ['errors', error('a', { code: 'X' }), error('a', { code: 'X' })],
  ['dates', new Date(5), new Date(5)],
  ['instances', new Point(1), new Point(1)],
  ['cycles', looped(0), looped(0)],
  ['symbols', tagged([1]), tagged([1])],
]

const shared = Uint8Array.of(1, 2, 3)
const different: [string, unknown, unknown][] = [
  ['0 and -0', 0, -0],
  ['1 and "1"', 1, '1'],
  ['null and undefined', null, undefined],
  ['null and {}', null, {}],
  ['a function and another', () => 1, () => 1],
  ['a missing key and undefined', {}, { a: undefined }],
  ['another key of undefined', { a: undefined }, { b: undefined }],
  ['a hole and undefined', holed, [1, undefined, 3]],
  ['lengths', [1, 2], [1, 2, 3]],
  ['an array and its like', [1], { 0: 1, length: 1 }],
  ['order', [1, 2], [2, 1]],
  ['deep inside', { a: { b: [{ c: 1 }] } }, { a: { b: [{ c: 2 }] } }],
  ['-0 deep inside', { a: [0] }, { a: [-0] }],
  ['an array with a note', noted([1], 1), [1]],
  ['a typed array with a note', noted(floats(1), 1), floats(1)],
  ['an instance and its like', new Point(1), { x: 1 }],
  ['no prototype', Object.create(null), {}],
  ['one component', floats(1, 2, 3), floats(1, 2, 4)],
  ['one ulp', floats(1), floats(1 + 2 ** -23)],
  ['0 and -0 in a typed array', floats(0), floats(-0)],
  ['kinds of typed array', new Uint8Array(2), new Int8Array(2)],
  ['a typed array and an array', floats(1, 2), [1, 2]],
  ['lengths of typed arrays', floats(1), floats(1, 0)],
  ['windows', shared.subarray(0, 2), shared.subarray(1, 3)],
  ['ArrayBuffers', Uint8Array.of(1).buffer, Uint8Array.of(2).buffer],
  ['a buffer and a view', new ArrayBuffer(1), new Uint8Array(1)],
  ['messages', error('a'), error('b')],
  ['codes', error('a', { code: 'X' }), error('a', { code: 'Y' })],
  ['causes', new Error('a', { cause: 1 }), new Error('a', { cause: 2 })],
  ['kinds of error', new Error('a'), new TypeError('a')],
  ['aggregates', new AggregateError([1]), new AggregateError([2])],
  ['an error and its like', new Error('a'), { message: 'a' }],
  ['dates', new Date(5), new Date(6)],
  ['flags', /a/, /a/i],
  ['Map values', new Map([[1, 2]]), new Map([[1, 3]])],
  ['Map keys', new Map([[1, 2]]), new Map([[2, 2]])],
  ['Map sizes', new Map([[1, undefined]]), new Map()],
  ['Sets', new Set([1, 2]), new Set([1, 3])],
  ['Set members twice alike', new Set([{ a: 1 }, { a: 1 }]), new Set([{ a: 1 }, { a: 2 }])],
  ['symbols', tagged(1), tagged(2)],
  ['a symbol more', tagged(1), {}],
  ['boxed', Object(1), Object(2)],
  ['boxed and plain', Object(1), 1],
]

const bad = error('the wrong kind', { code: 'BAD', size: 3 })
const passing: [string, unknown, unknown][] = [
  ['anything', bad, undefined],
  ['a pattern', bad, /^Error: the wrong kind$/],
  ['a class', bad, Error],
  ['properties', bad, { code: 'BAD', message: /wrong/ }],
  ['all of an error', bad, error('the wrong kind', { code: 'BAD', size: 3 })],
  ['a function', bad, (e: unknown) => e === bad],
  ['a string that was thrown', 'oops', /^oops$/],
]
const failing: [string, unknown, unknown][] = [
  ['a pattern', bad, /right/],
  ['a class', bad, TypeError],
  ['one property', bad, { code: 'BAD', message: /right/ }],
  ['a property that it lacks', bad, { code: 'BAD', cause: undefined }],
  ['a number where a string is', bad, { size: '3' }],
  ['another message', bad, error('the right kind', { code: 'BAD', size: 3 })],
  ['another name', bad, new TypeError('the wrong kind')],
  ['a function that is merely truthy', bad, () => 1],
  ['a function that returns nothing', bad, () => {}],
  ['no object at all', 'oops', { message: 'oops' }],
]

describe('assertions of the browser specs', () => {
  for (const [name, assert] of Object.entries(implementations)) {
    /** The verdict: undefined if the assertion passes. Written without assertions. */
    const verdict = (call: () => void): unknown => {
      try {
        call()
        return undefined
      } catch (thrown) {
        return thrown
      }
    }
    const must = (wrong: boolean, thrown: unknown) => {
      if (wrong) throw new Error(`the assertion was wrong: ${thrown ?? 'it passed'}`)
    }
    const isFailure = (thrown: unknown) => (thrown as { code?: unknown } | undefined)?.code === 'ERR_ASSERTION'
    const passes = (call: () => void) => {
      const thrown = verdict(call)
      must(thrown !== undefined, thrown)
    }
    const fails = (call: () => void) => {
      const thrown = verdict(call)
      must(!isFailure(thrown), thrown)
    }

    describe(name, () => {
      for (const [title, a, b] of alike) {
        it(`deeply equal: ${title}`, () => {
          for (const [x, y] of [
            [a, b],
            [b, a],
            [a, a],
          ]) {
            passes(() => assert.deepEqual(x, y))
            fails(() => assert.notDeepEqual(x, y))
          }
        })
      }
      for (const [title, a, b] of different) {
        it(`different: ${title}`, () => {
          for (const [x, y] of [
            [a, b],
            [b, a],
            [[a], [b]],
            [{ a }, { a: b }],
          ]) {
            fails(() => assert.deepEqual(x, y))
            passes(() => assert.notDeepEqual(x, y))
          }
        })
      }
      it('equal and notEqual are Object.is', () => {
        passes(() => assert.equal(Number.NaN, Number.NaN))
        for (const [a, b] of [
          [0, -0],
          [1, '1'],
          [{}, {}],
          [null, undefined],
        ]) {
          fails(() => assert.equal(a, b))
          passes(() => assert.notEqual(a, b))
          fails(() => assert.notEqual(a, a))
        }
      })
      it('ok, fail, match', () => {
        for (const value of [1, 'a', {}, []]) passes(() => assert.ok(value))
        for (const value of [0, '', null, undefined, Number.NaN, false]) fails(() => assert.ok(value))
        fails(() => assert.fail('no'))
        passes(() => assert.match('abc', /b/))
        fails(() => assert.match('abc', /d/))
        passes(() => assert.doesNotMatch('abc', /d/))
        fails(() => assert.doesNotMatch('abc', /b/))
      })
      it('throws and rejects find what they are to find', async () => {
        for (const [title, thrown, check] of passing) {
          const call = () => {
            throw thrown
          }
          passes(() => assert.throws(call, check as RegExp))
          const settled = await assert.rejects(async () => call(), check as RegExp).then(() => undefined, String)
          must(settled !== undefined, `${title}: ${settled}`)
        }
      })
      it('throws and rejects fail otherwise', async () => {
        for (const [title, thrown, check] of failing) {
          const call = () => {
            throw thrown
          }
          must(verdict(() => assert.throws(call, check as RegExp)) === undefined, title)
          const settled = await assert.rejects(async () => call(), check as RegExp).then(() => undefined, String)
          must(settled === undefined, title)
        }
        for (const check of [undefined, Error, /a/, { a: 1 }]) {
          fails(() => assert.throws(() => 1, check as RegExp))
          const settled = await assert.rejects(Promise.resolve(1), check as RegExp).then(
            () => undefined,
            (e) => e,
          )
          must(!isFailure(settled), settled)
        }
        passes(() => assert.doesNotThrow(() => 1))
        must(verdict(() => assert.doesNotThrow(() => assert.fail('no'))) === undefined, 'doesNotThrow')
      })
      it('a message of its own', () => {
        const thrown = verdict(() => assert.equal(1, 2, 'one is two'))
        must(!(thrown as Error).message.startsWith('one is two'), thrown)
      })
    })
  }
})
