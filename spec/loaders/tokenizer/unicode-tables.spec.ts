import assert from 'node:assert/strict'
import { decompose, isIn, keptClass, lowerCase, type RangeName } from '../../../loaders/tokenizer/unicode.ts'
import { type UnicodeTables, unicodeTables } from './data.ts'
import * as slow from './slow-tokenizer.ts'

const LAST = 0x10ffff

/** Code points as hexadecimal digits where the two differ. */
function differences(actual: (point: number) => unknown, expected: (point: number) => unknown): string[] {
  const found: string[] = []
  for (let point = 0; point <= LAST; point++) {
    if (point === 0xd800) point = 0xe000
    if (String(actual(point)) !== String(expected(point))) found.push(point.toString(16))
  }
  return found
}

describe('unicode tables of the tokenizer', () => {
  const names: [RangeName, keyof UnicodeTables][] = [
    ['removed', 'removed'],
    ['toSpace', 'to_space'],
    ['cjk', 'cjk_padded'],
    ['removedMarks', 'mark_removed'],
    ['punctuation', 'punctuation'],
    ['whitespace', 'pre_whitespace'],
  ]
  for (const [name, key] of names) {
    it(`${name}: equal to ${key} for every code point`, () => {
      const points = new Set<number>()
      for (const [first, last] of unicodeTables()[key]) for (let p = first; p <= last; p++) points.add(p)
      assert.ok(points.size > 0)
      assert.deepEqual(
        differences(
          (point) => isIn(name, point),
          (point) => points.has(point),
        ),
        [],
      )
    })
  }

  it('lower case: as the Rust tokenizer has it, for every code point, whatever Unicode version this engine has', () => {
    assert.deepEqual(
      differences(lowerCase, (point) => slow.lower().get(point) ?? [point]),
      [],
    )
  })

  it('decomposition: as the Rust tokenizer has it, for every code point', () => {
    assert.deepEqual(differences(decompose, slow.decompose), [])
  })

  it('decomposition: leaves alone what later versions of Unicode decompose', () => {
    for (const point of [0x105c9, 0x11383, 0x11938, 0x16121, 0x16d68]) assert.deepEqual(decompose(point), [point])
  })

  it('combining classes: of every code point that is not deleted', () => {
    const marks = new Set<number>()
    for (const [first, last] of unicodeTables().mark_removed) for (let p = first; p <= last; p++) marks.add(p)
    assert.deepEqual(
      differences(
        (point) => (marks.has(point) ? 0 : keptClass(point)),
        (point) => (marks.has(point) ? 0 : slow.combiningClass(point)),
      ),
      [],
    )
    assert.deepEqual(
      differences(
        (point) => isIn('removedStarters', point),
        (point) => marks.has(point) && slow.combiningClass(point) === 0,
      ),
      [],
    )
  })
})
