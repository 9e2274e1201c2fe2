import assert from 'node:assert/strict'
import { inBatches } from '../../apps/cli/input/batches.ts'
import { parseItem } from '../../apps/cli/input/items.ts'
import { readLines } from '../../apps/cli/input/lines.ts'
import { BareclipError } from '../../runtime/errors.ts'

const encoder = new TextEncoder()

async function* chunks(...pieces: readonly (string | Uint8Array)[]) {
  for (const piece of pieces) yield typeof piece === 'string' ? encoder.encode(piece) : piece
}

async function lines(input: AsyncIterable<Uint8Array>, maxBytes?: number): Promise<(string | BareclipError)[]> {
  const found: (string | BareclipError)[] = []
  for await (const line of readLines(input, maxBytes)) found.push(line)
  return found
}

describe('cli/input/lines', () => {
  const cases: readonly [string, readonly (string | Uint8Array)[], readonly string[]][] = [
    ['nothing', [], []],
    ['an empty chunk', [''], []],
    ['one line', ['a\n'], ['a']],
    ['a last line without \\n', ['a\nb'], ['a', 'b']],
    ['blank lines', ['\n\na\n\n'], ['', '', 'a', '']],
    ['\\r\\n', ['a\r\nb\r\n'], ['a', 'b']],
    ['\\r and \\n in two chunks', ['a\r', '\nb'], ['a', 'b']],
    ['a last line that ends with \\r', ['a\r'], ['a']],
    ['a lone \\r inside', ['a\rb\n'], ['a\rb']],
    ['U+2028, U+2029 and U+0085', ['a\u2028b\u2029c\u0085d\n'], ['a\u2028b\u2029c\u0085d']],
    ['a BOM at the start', ['\ufeffa\n\ufeffb\n'], ['a', '\ufeffb']],
    ['a BOM cut in two', [Uint8Array.of(0xef, 0xbb), Uint8Array.of(0xbf, 0x61)], ['a']],
    ['a line in many chunks', ['a', 'b', '', 'c\nd', 'e\n'], ['abc', 'de']],
    ['a character cut in two', [Uint8Array.of(0x61, 0xc3), Uint8Array.of(0xa9, 0x0a)], ['aé']],
    ['bytes that are no UTF-8', [Uint8Array.of(0x61, 0xff, 0x0a, 0xc3, 0x0a)], ['a\ufffd', '\ufffd']],
  ]
  for (const [name, input, expected] of cases) {
    it(name, async () => assert.deepEqual(await lines(chunks(...input)), expected))
  }

  it('takes every way to cut a text into two chunks', async () => {
    const bytes = encoder.encode('\ufeffaé\r\n\n😀\u2028\nlast')
    for (let cut = 0; cut <= bytes.length; cut++) {
      assert.deepEqual(await lines(chunks(bytes.subarray(0, cut), bytes.subarray(cut))), ['aé', '', '😀\u2028', 'last'])
    }
  })

  it('gives an error for a line that is too long, and goes on', async () => {
    const [first, second, third, ...rest] = await lines(chunks('abc\n', 'abcd', 'efgh\nab', 'c\n'), 3)
    assert.equal(first, 'abc')
    assert.ok(second instanceof BareclipError)
    assert.equal(second.code, 'INVALID_INPUT')
    assert.equal(second.message, 'the line has 8 bytes; a line may have 3')
    assert.equal(third, 'abc')
    assert.deepEqual(rest, [])
  })

  it('reads a line of many chunks in linear time', async () => {
    async function* many() {
      for (let i = 0; i < 20_000; i++) yield new Uint8Array(1000).fill(0x61)
    }
    const [line] = await lines(many())
    assert.equal(typeof line === 'string' && line.length, 20_000_000)
  })
})

describe('cli/input/items', () => {
  const keys = ['text', 'image', 'tokens'] as const

  it('takes the three kinds of items, and keys of the user’s own', () => {
    assert.deepEqual(parseItem('{"text": ""}', keys), { text: '' })
    assert.deepEqual(parseItem(' {"id": 7, "text": "a"} ', keys), { text: 'a' })
    assert.deepEqual(parseItem('{"image": "a.png"}', keys), { image: 'a.png' })
    assert.deepEqual(parseItem('{"tokens": []}', keys), { tokens: [] })
  })

  const expected = 'a line should be a JSON object with one of "text", "image", "tokens"'
  const bad: readonly [string, RegExp | string][] = [
    ['hello', /^a line should be a JSON object .*; the line is not JSON: /],
    ['{"text": "a"', /not JSON/],
    ['{"text": "a"} {"text": "b"}', /not JSON/],
    ['null', `${expected}, found null`],
    ['12', `${expected}, found 12`],
    ['"a text"', `${expected}, found "a text"`],
    ['[{"text": "a"}]', `${expected}, found an array of 1`],
    ['{}', `${expected}, found none`],
    ['{"Text": "a"}', `${expected}, found none`],
    ['{"text": "a", "image": "b"}', `${expected}, found "text" and "image"`],
    ['{"__proto__": {"text": "a"}}', `${expected}, found none`],
    ['{"text": null}', '"text" should be a string, found null'],
    ['{"text": ["a"]}', '"text" should be a string, found an array of 1'],
    ['{"image": 7}', '"image" should be a string, found 7'],
    ['{"image": ""}', '"image" should be the path of a picture, found ""'],
    ['{"tokens": "101 102"}', '"tokens" should be an array of token ids, found "101 102"'],
  ]
  for (const [line, message] of bad) {
    it(`refuses ${line}`, () => assert.throws(() => parseItem(line, keys), { code: 'INVALID_INPUT', message }))
  }

  it('asks only for what the command takes', () => {
    assert.throws(() => parseItem('{"image": "a.png"}', ['text']), {
      message: 'a line should be a JSON object with "text", found none',
    })
  })
})

describe('cli/input/batches', () => {
  const limits = { items: 3, size: 100, sizeOf: (text: string) => text.length, idleMs: 10_000 }

  async function batches(source: AsyncIterable<string>, changed: Partial<typeof limits> = {}) {
    const found: (readonly string[])[] = []
    for await (const batch of inBatches(source, { ...limits, ...changed })) found.push(batch)
    return found
  }
  async function* items(...texts: readonly string[]) {
    yield* texts
  }

  it('cuts by number of items', async () => {
    assert.deepEqual(await batches(items()), [])
    assert.deepEqual(await batches(items('a')), [['a']])
    assert.deepEqual(await batches(items('a', 'b', 'c')), [['a', 'b', 'c']])
    assert.deepEqual(await batches(items('a', 'b', 'c', 'd')), [['a', 'b', 'c'], ['d']])
  })

  it('cuts by size; a larger item still comes', async () => {
    assert.deepEqual(await batches(items('aaaa', 'b', 'ccccc', 'd'), { size: 5 }), [['aaaa', 'b'], ['ccccc'], ['d']])
  })

  it('hands out what there is when nothing more comes for a while', async () => {
    let goOn = () => {}
    async function* slow() {
      yield 'a'
      await new Promise<void>((resolve) => {
        goOn = resolve
      })
      yield 'b'
    }
    const iterator = inBatches(slow(), { ...limits, idleMs: 1 })
    assert.deepEqual((await iterator.next()).value, ['a'])
    goOn()
    assert.deepEqual((await iterator.next()).value, ['b'])
    assert.equal((await iterator.next()).done, true)
  })

  it('does not run ahead of the caller', async () => {
    let made = 0
    async function* endless() {
      for (;;) yield `${made++}`
    }
    const iterator = inBatches(endless(), limits)
    await iterator.next()
    await new Promise((resolve) => setTimeout(resolve, 20))
    assert.equal(made, 4)
    await iterator.return(undefined)
  })

  it('passes an error on, and ends when the caller leaves while nothing comes', async () => {
    async function* failing() {
      yield 'a'
      throw new Error('lost')
    }
    await assert.rejects(batches(failing()), { message: 'lost' })
    async function* stuck() {
      yield 'a'
      await new Promise(() => {})
    }
    for await (const batch of inBatches(stuck(), { ...limits, idleMs: 1 })) {
      assert.deepEqual(batch, ['a'])
      break
    }
  })
})
