import assert from 'node:assert/strict'
import { apart, around, type Box, placeLabels } from '../../bench/report/charts/labels.ts'
import { fitted, textWidth } from '../../bench/report/draw.ts'
import { figure, percent, slug, tick } from '../../bench/report/format.ts'
import { escapeText, html } from '../../bench/report/html.ts'
import { namesOf } from '../../bench/report/names.ts'
import { linearAxis, logAxis } from '../../bench/report/scale.ts'

describe('axes of charts', () => {
  for (const [domain, room, ticks] of [
    [[0.5, 20], 12, [0.5, 1, 2, 5, 10, 20]],
    [[0.5, 20], 3, [1, 10]],
    [[1e-6, 1e6], 5, [1e-6, 1e-3, 1, 1e3, 1e6]],
    [[3, 4], 8, []],
  ] as const) {
    it(`logarithmic, ${domain.join(' to ')}`, () => {
      const axis = logAxis(domain, [10, 110], room)
      assert.equal(axis.ticks.length, ticks.length, axis.ticks.join())
      for (const [i, value] of axis.ticks.entries()) assert.ok(Math.abs(value / ticks[i]! - 1) < 1e-9, `${value}`)
      assert.deepEqual([axis.at(domain[0]), axis.at(domain[1])], [10, 110])
      assert.ok(Math.abs(axis.value(axis.at(3.5)) - 3.5) < 1e-9)
    })
  }

  for (const [most, ticks] of [
    [23, [0, 5, 10, 15, 20, 25]],
    [1, [0, 0.2, 0.4, 0.6, 0.8, 1]],
    [0.3, [0, 0.1, 0.2, 0.3]],
    [12_000, [0, 2500, 5000, 7500, 10_000, 12_500]],
  ] as const) {
    it(`from 0 to ${most}`, () => {
      const { ticks: got, domain, at } = linearAxis(most, [300, 0], 5)
      assert.deepEqual(got, ticks)
      assert.ok(domain[1] >= most && at(0) === 300 && at(domain[1]) === 0)
    })
  }
})

describe('labels of charts', () => {
  const frame: Box = { left: 0, top: 0, right: 400, bottom: 300 }
  const overlaps = (a: Box, b: Box) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom

  it('lie over no point, no other label and no obstacle, and inside', () => {
    const points = Array.from({ length: 60 }, (_, i) => ({
      ...{ x: 20 + ((i * 97) % 360), y: 15 + ((i * 53) % 270), radius: 4 },
      texts: [`${i} a name of some length`, `${i}`],
    }))
    const wall: Box = { left: 100, top: 0, right: 110, bottom: 300 }
    const placed = placeLabels(points, [wall], frame)
    const boxes = placed.flatMap((label) => (label ? [around(label.x, label.y, textWidth(label.text, 11), 11)] : []))
    assert.ok(boxes.length > 50, `${boxes.length}`)
    const things = [wall, ...points.map(({ x, y, radius }) => around(x, y, 2 * radius, 2 * radius))]
    for (const [i, box] of boxes.entries()) {
      assert.ok(box.left >= 0 && box.top >= 0 && box.right <= 400 && box.bottom <= 300)
      for (const other of [...things, ...boxes.slice(0, i)]) assert.ok(!overlaps(box, other))
    }
    assert.ok(placed.some((label, i) => label?.text === points[i]!.texts[0]))
  })

  it('that fit nowhere are left out', () => {
    assert.deepEqual(
      placeLabels([{ x: 5, y: 5, radius: 4, texts: ['far too long for this'] }], [], around(5, 5, 10, 10)),
      [undefined],
    )
  })

  it('are kept apart, in order, and above the bottom', () => {
    assert.deepEqual(apart([10, 12, 50], 14, 100), [10, 24, 50])
    assert.deepEqual(apart([99, 98], 14, 100), [100, 86])
    assert.deepEqual(apart([], 14, 100), [])
  })

  it('are cut to what fits', () => {
    assert.equal(fitted('short', 100), 'short')
    const cut = fitted('x'.repeat(100), 100)
    assert.match(cut, /^x+…$/)
    assert.ok(textWidth(cut) <= 100 && cut.length > 10)
  })
})

describe('figures and names', () => {
  it('three digits that count', () => {
    const values = [0, 0.000123, 0.0456, 1, 9.999, 78.94, 123.4, 123456, 1e-7, 2.5e12]
    assert.deepEqual(values.map(figure), [
      ...['0', '0.000123', '0.0456', '1', '10', '78.9', '123', '123456', '1.0e-7', '2.5e12'],
    ])
    assert.deepEqual([0.1, 12_500, 2e6].map(tick), ['0.1', '12.5k', '2M'])
    assert.deepEqual([0.004, 0.0996, 0.5, 1.2].map(percent), ['0.4 %', '10 %', '50 %', '120 %'])
    assert.deepEqual(['Ours · f32', '../../etc', ''].map(slug), ['ours-f32', 'etc', 'chart'])
  })

  it('reports are named by what differs, else by their files', () => {
    const named = (...facts: readonly (readonly string[])[]) => facts.map((facts, i) => ({ file: `${i}.json`, facts }))
    assert.deepEqual(namesOf(named(['Node 20', 'A'])), [''])
    assert.deepEqual(namesOf(named(['Node 20', 'A'], ['Node 24', 'A'])), ['Node 20', 'Node 24'])
    assert.deepEqual(namesOf(named(['Node', 'A'], ['Node', 'B'])), ['A', 'B'])
    assert.deepEqual(namesOf(named(['Node', 'A'], ['Node', 'A'])), ['0', '1'])
    assert.deepEqual(namesOf(named(['wasm', 'x'], ['wasm', 'y']), 1), ['wasm · x', 'wasm · y'])
  })

  it('text is escaped in markup, markup is not', () => {
    const inner = html`<b title="${'"<&>\''}">${1}</b>`
    assert.equal(html`${['a<b', inner]}${undefined}${false}`.markup, 'a&lt;b<b title="&quot;&lt;&amp;&gt;&#39;">1</b>')
    assert.equal(escapeText('&amp;'), '&amp;amp;')
  })
})
