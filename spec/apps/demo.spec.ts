import assert from 'node:assert/strict'
import { descriptions, queries } from '../../apps/demo/captions.ts'
import { demo } from '../../apps/demo/demo.ts'
import { table } from '../../apps/demo/table.ts'

/** As the files are called, with the words that descriptions have between. */
const truth: Readonly<Record<string, string>> = {
  'black-arrow': 'a black arrow',
  'blue-circle-right-red-circle': 'a blue circle to the right of a red circle',
  'blue-square-left-green-triangle': 'a blue square to the left of a green triangle',
  'brown-hexagon': 'a brown hexagon',
  'cyan-rectangle': 'a cyan rectangle',
  'four-green-diamonds': 'four green diamonds',
  'purple-cross-above-orange-ring': 'a purple cross above an orange ring',
  'red-circle': 'a red circle',
  'three-pink-hearts': 'three pink hearts',
  'two-white-stars': 'two white stars',
  'white-moon': 'a white moon',
  'yellow-star': 'a yellow star',
}

const best: Readonly<Record<string, string>> = {
  stars: 'two-white-stars',
  'the moon': 'white-moon',
  'a large red circle': 'red-circle',
  'three hearts': 'three-pink-hearts',
  'a cross above a ring': 'purple-cross-above-orange-ring',
  'something green': 'four-green-diamonds',
}

describe('demo', () => {
  let lines: string[] = []
  before(async () => {
    lines = []
    await demo((line) => lines.push(line))
  })
  const cells = (start: string) =>
    lines
      .find((line) => line.startsWith(`  ${start} `))
      ?.trim()
      .split(/ {2,}/)

  it('names every picture rightly, with a probability', () => {
    assert.equal(new Set(descriptions()).size, descriptions().length)
    for (const [picture, description] of Object.entries(truth)) {
      const [, found, probability] = cells(picture) ?? []
      assert.equal(found, description)
      assert.match(probability!, /^(\d{2}|100)\.\d %$/)
    }
  })

  it('finds the right picture for every query first, and three in all', () => {
    assert.deepEqual([...queries].sort(), Object.keys(best).sort())
    for (const query of queries) {
      assert.ok(!descriptions().includes(query))
      const at = lines.findIndex((line) => line.startsWith(`  ${query} `))
      assert.equal(cells(query)?.[1], best[query])
      const cosines = lines.slice(at, at + 3).map((line) => Number(line.trim().split(/ +/).at(-1)))
      assert.ok(cosines[0]! >= cosines[1]! && cosines[1]! >= cosines[2]! && cosines[2]! >= -1, `${cosines}`)
    }
  })

  it('says what it is, what it took, and how to use the real model', () => {
    const text = lines.join('\n')
    assert.equal(lines.filter((line) => line.includes('small demonstration model')).length, 1)
    assert.match(text, /device +(wasm|reference), \d+ threads?/)
    assert.match(text, /time +\d+\.\d s to load, \d+\.\d s for 12 pictures/)
    assert.match(text, /memory +\d+\.\d MB of weights/)
    assert.match(text, /bareclip embed --model DIR/)
    assert.match(text, /load\('DIR'\)/)
    assert.ok(!text.includes('\u001b'))
    assert.deepEqual(
      lines.filter((line) => line.length > 120),
      [],
    )
  })
})

describe('demo/table', () => {
  it('aligns columns, left or right, without spaces at line ends', () => {
    const rows = [
      ['a', '1', 'x'],
      ['bbb', '22'],
    ]
    assert.deepEqual(table(rows, [1]), ['a     1  x', 'bbb  22'])
    assert.deepEqual(table([]), [])
  })
})
