import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { encodeSafetensors, type TensorData, writeSafetensors } from '../../../loaders/safetensors/write.ts'
import { golden, goldenBytes, open } from './files.ts'

async function written(tensors: Iterable<TensorData>, metadata?: Record<string, string>) {
  const pieces: Uint8Array[] = []
  await writeSafetensors(
    tensors,
    (piece) => {
      pieces.push(piece.slice())
    },
    metadata,
  )
  return { bytes: new Uint8Array(Buffer.concat(pieces)), pieces }
}

const tensor = (name: string, dtype: TensorData['dtype'], shape: number[], bytes: TensorData['bytes']): TensorData => ({
  name,
  dtype,
  shape,
  bytes,
})

describe('safetensors writing', () => {
  it('lays the file out byte for byte', async () => {
    const tensors = [
      { name: 'b', dtype: 'F16', shape: [2, 1], bytes: () => Uint8Array.of(1, 2, 3, 4) },
      { name: 'a', dtype: 'U8', shape: [], bytes: () => Uint8Array.of(9) },
    ] as const
    const json =
      '{"__metadata__":{"format":"pt"},"b":{"dtype":"F16","shape":[2,1],"data_offsets":[0,4]},"a":{"dtype":"U8","shape":[],"data_offsets":[4,5]}}'
    const padded = json.padEnd(Math.ceil(json.length / 8) * 8)
    const expected = Buffer.concat([
      Buffer.from([padded.length, 0, 0, 0, 0, 0, 0, 0]),
      Buffer.from(padded),
      Buffer.from([1, 2, 3, 4, 9]),
    ])
    assert.deepEqual(encodeSafetensors(tensors, { format: 'pt' }), new Uint8Array(expected))
    assert.deepEqual((await written(tensors, { format: 'pt' })).bytes, new Uint8Array(expected))
  })

  it('writes an empty file as {} and six spaces', () => {
    assert.deepEqual([...encodeSafetensors([])], [8, 0, 0, 0, 0, 0, 0, 0, ...Buffer.from('{}      ')])
  })

  const fixtures = readdirSync(golden('.'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.safetensors'))
    .map((path) => path.replaceAll('\\', '/'))
  assert.ok(fixtures.length > 10)
  for (const path of fixtures) {
    it(`reproduces ${path}`, async () => {
      const original = goldenBytes(path)
      const { tensors, metadata, read } = await open(original)
      const entries = await Promise.all(
        [...tensors.values()].map(async (entry) => ({ entry, data: await read(entry.name) })),
      )
      const list = entries.map(({ entry, data }) => ({ ...entry, bytes: () => data }))
      const given = Object.keys(metadata).length > 0 ? metadata : undefined
      assert.ok(Buffer.from(encodeSafetensors(list, given)).equals(original))
      assert.ok(Buffer.from((await written(list, given)).bytes).equals(original))
    })
  }

  it('takes bytes in every form', async () => {
    const data = Uint8Array.of(1, 2, 3, 4)
    const halves = [data.subarray(0, 3), data.subarray(3)]
    const forms: TensorData['bytes'][] = [
      () => data,
      async () => data,
      () => halves,
      function* () {
        yield new Uint8Array(0)
        yield* halves
      },
      async function* () {
        yield* halves
      },
      () => Buffer.from(data),
    ]
    for (const bytes of forms) {
      const file = await open((await written([tensor('x', 'U8', [4], bytes)])).bytes)
      assert.deepEqual([...(await file.read('x'))], [1, 2, 3, 4])
    }
  })

  it('hands large tensors on in pieces and makes one tensor at a time, each once', async () => {
    const size = 9 * 2 ** 20
    let total = 0
    const made: [string, number][] = []
    const big = (name: string) =>
      tensor(name, 'U8', [size], () => {
        made.push([name, total])
        return new Uint8Array(size)
      })
    let header = 0
    await writeSafetensors([big('a'), big('b')], async (piece) => {
      assert.ok(piece.length <= 4 * 2 ** 20)
      header ||= piece.length
      total += piece.length
    })
    assert.deepEqual(made, [
      ['a', header],
      ['b', header + size],
    ])
    assert.equal(total, header + 2 * size)
  })

  it('awaits each write before the next and stops at a failing one', async () => {
    const error = new Error('disk full')
    let calls = 0
    let running = false
    const write = async () => {
      assert.equal(running, false)
      running = true
      await new Promise((resolve) => setTimeout(resolve, 1))
      running = false
      if (++calls === 2) throw error
    }
    let asked = 0
    const list = ['a', 'b', 'c'].map((name) =>
      tensor(name, 'U8', [1], () => {
        asked++
        return new Uint8Array(1)
      }),
    )
    await assert.rejects(writeSafetensors(list, write), error)
    assert.deepEqual([calls, asked], [2, 1])
  })

  it('closes an iterator whose pieces cannot be written', async () => {
    let closed = false
    const pieces = async function* () {
      try {
        yield new Uint8Array(2)
        yield new Uint8Array(2)
      } finally {
        closed = true
      }
    }
    let calls = 0
    const write = () => {
      if (++calls === 2) throw new Error('no')
    }
    await assert.rejects(writeSafetensors([tensor('x', 'U8', [4], pieces)], write), /no/)
    assert.equal(closed, true)
  })

  it('keeps the order of names that look like array indices, and names like __proto__', async () => {
    const one = () => Uint8Array.of(7)
    const names = ['10', '9', '__proto__', 'constructor', '', 'é"\\\n鳥🐦']
    const file = await open(encodeSafetensors(names.map((name) => ({ name, dtype: 'U8', shape: [1], bytes: one }))))
    assert.deepEqual([...file.tensors.keys()], names)
  })

  describe('refuses', () => {
    const none = () => new Uint8Array(0)
    const bad = (dtype: string) => dtype as TensorData['dtype']
    // biome-ignore format: a table
    const layouts: ReadonlyArray<readonly [string, { name: string; dtype: TensorData['dtype']; shape: number[] }[], RegExp]> = [
      ['a name twice', [{ name: 'a', dtype: 'U8', shape: [0] }, { name: 'a', dtype: 'U8', shape: [0] }], /^expected each tensor’s name once .* got "a" again$/],
      ['a tensor called __metadata__', [{ name: '__metadata__', dtype: 'U8', shape: [0] }], /none called __metadata__/],
      ['a lone surrogate', [{ name: '\ud800', dtype: 'U8', shape: [0] }], /well-formed text/],
      ['a dtype of the runtime', [{ name: 'a', dtype: bad('f32'), shape: [0] }], /^tensor "a": expected a dtype of the format, got "f32"$/],
      ['a negative dimension', [{ name: 'a', dtype: 'U8', shape: [-1] }], /^tensor "a": expected a shape of a whole number of bytes/],
      ['a fraction', [{ name: 'a', dtype: 'U8', shape: [0.5] }], /got U8 \(0\.5\)/],
      ['NaN', [{ name: 'a', dtype: 'U8', shape: [Number.NaN] }], /got U8 \(NaN\)/],
      ['three F4', [{ name: 'a', dtype: 'F4', shape: [3] }], /got F4 \(3\)/],
      ['more bytes than 2^53', [{ name: 'a', dtype: 'U8', shape: [2 ** 30, 2 ** 30] }], /below 2\^53/],
      ['less bytes than the shape', [{ name: 'a', dtype: 'F32', shape: [2, 3] }], /^tensor "a": expected 24 bytes for F32 \(2, 3\), got 0$/],
    ]
    for (const [what, list, message] of layouts) {
      it(what, async () => {
        const tensors = list.map((layout) => ({ ...layout, bytes: none }))
        const expected = { name: 'BareclipError', code: 'INVALID_ARGUMENT', message }
        assert.throws(() => encodeSafetensors(tensors), expected)
        await assert.rejects(written(tensors), expected)
      })
    }

    it('more bytes than the shape, before they are written', async () => {
      const long = [tensor('a', 'U8', [2], () => [new Uint8Array(2), new Uint8Array(3)])]
      let total = 0
      const write = (piece: Uint8Array) => {
        total += piece.length
      }
      const message = 'tensor "a": expected 2 bytes for U8 (2), got 5 or more'
      await assert.rejects(writeSafetensors(long, write), { code: 'INVALID_ARGUMENT', message })
      assert.equal((total - 2) % 8, 0)
      const tensors = [{ name: 'a', dtype: 'U8' as const, shape: [2], bytes: () => new Uint8Array(3) }]
      assert.throws(() => encodeSafetensors(tensors), { message: /expected 2 bytes for U8 \(2\), got 3$/ })
    })

    it('metadata that is not text', () => {
      const metadata = { step: 3 } as unknown as Record<string, string>
      assert.throws(() => encodeSafetensors([], metadata), {
        code: 'INVALID_ARGUMENT',
        message: /metadata "step" .* got 3$/,
      })
    })

    it('a header that no reader takes', () => {
      const metadata = { text: 'x'.repeat(100_000_000) }
      assert.throws(() => encodeSafetensors([], metadata), { message: /expected a header of at most 100000000 bytes/ })
    })
  })
})
