import assert from 'node:assert/strict'
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough, Writable } from 'node:stream'
import { load } from '../../index.ts'
import { openSafetensors } from '../../loaders/safetensors/safetensors.ts'
import { openSource } from '../../loaders/source.ts'
import { cli, fixtures, inFolder, ndjson, parseLines, pictures, root } from './cli-run.ts'

const circle = join(pictures, 'red-circle.png')
const hexagon = join(pictures, 'brown-hexagon.jpg')

/** (rows, dimensions) of format 1.0, float32, C order */
function readNpy(path: string) {
  const bytes = readFileSync(path)
  assert.equal(bytes.subarray(0, 8).toString('latin1'), '\x93NUMPY\x01\x00')
  const start = 10 + bytes.readUInt16LE(8)
  const [, rows, dimensions] = /'shape': \((\d+), (\d+)\)/.exec(bytes.subarray(10, start).toString('latin1'))!
  assert.equal(bytes.length, start + 4 * Number(rows) * Number(dimensions))
  const data = new Float32Array(bytes.buffer.slice(bytes.byteOffset + start, bytes.byteOffset + bytes.length))
  return { rows: Number(rows), dimensions: Number(dimensions), data }
}

async function readEmbeddings(path: string) {
  const file = await openSafetensors(await openSource(path))
  try {
    const [entry, ...others] = file.tensors.values()
    assert.ok(entry && others.length === 0)
    assert.deepEqual([entry.name, entry.dtype], ['embeddings', 'F32'])
    const bytes = await file.read('embeddings')
    return { shape: entry.shape, data: new Float32Array(bytes.slice().buffer) }
  } finally {
    await file.close()
  }
}

describe('bareclip embed', () => {
  it('writes one line per item, in order, with the very numbers of the library', async () => {
    const input = ndjson(
      { text: 'a red circle' },
      { image: circle },
      { tokens: [2, 43, 152, 192, 3], id: 'mine' },
      { text: '' },
    )
    const { code, rows, err } = await cli(['embed'], { input })
    assert.equal(code, 0)
    assert.equal(err, '')
    assert.deepEqual(
      rows.map(({ index }) => index),
      [0, 1, 2, 3],
    )
    const { embedding: _, ...usage } = rows[0]!
    assert.deepEqual(usage, { index: 0, tokens: 5, truncated: false })
    const { embedding: __, ...picture } = rows[1]!
    assert.deepEqual(picture, { index: 1, tokens: 4000, truncated: false, width: 320, height: 320, tiles: 4 })
    assert.deepEqual(rows[2]!.embedding, rows[0]!.embedding)
    assert.equal(rows[3]!.tokens, 2)

    using clip = await load()
    const text = await clip.encodeText(['a red circle', ''])
    const image = await clip.encodeImage(readFileSync(circle))
    assert.deepEqual(Float32Array.from(rows[0]!.embedding), text.row(0))
    assert.deepEqual(Float32Array.from(rows[1]!.embedding), image.row(0))
    assert.deepEqual(Float32Array.from(rows[3]!.embedding), text.row(1))
  })

  it('goes on after bad items of all kinds', () =>
    inFolder(async (folder) => {
      const file = (name: string, content: string | Uint8Array) => {
        writeFileSync(join(folder, name), content)
        return join(folder, name)
      }
      const png = readFileSync(circle)
      const huge = Buffer.from(readFileSync(circle).subarray(0, 33))
      huge.writeUInt32BE(60_000, 16)
      huge.writeUInt32BE(60_000, 20)
      mkdirSync(join(folder, 'dir.png'))
      const items: [string, string | undefined][] = [
        ['{"text": "a star"}', undefined],
        ['not json', 'INVALID_INPUT'],
        ['{"text": 7}', 'INVALID_INPUT'],
        ['{}', 'INVALID_INPUT'],
        [`{"text": "a", "image": ${JSON.stringify(circle)}}`, 'INVALID_INPUT'],
        [`{"image": ${JSON.stringify(join(folder, 'missing.png'))}}`, 'READ_FAILED'],
        [`{"image": ${JSON.stringify(join(folder, 'dir.png'))}}`, 'READ_FAILED'],
        [`{"image": "a\\u0000b.png"}`, 'READ_FAILED'],
        [`{"image": ${JSON.stringify(file('text.png', 'hello'))}}`, 'INVALID_IMAGE'],
        [`{"image": ${JSON.stringify(file('empty.png', ''))}}`, 'INVALID_IMAGE'],
        [`{"image": ${JSON.stringify(file('cut.png', png.subarray(0, png.length >> 1)))}}`, 'INVALID_IMAGE'],
        [`{"image": ${JSON.stringify(file('huge.png', huge))}}`, 'IMAGE_TOO_LARGE'],
        [`{"image": ${JSON.stringify(hexagon)}}`, undefined],
        ['{"tokens": []}', 'INVALID_INPUT'],
        ['{"tokens": [2, "3"]}', 'INVALID_INPUT'],
        ['{"tokens": [2, 1000000, 3]}', 'INVALID_INPUT'],
        ['{"text": "\\ud800 a moon"}', undefined],
      ]
      const input = `\ufeff${items.map(([line]) => line).join('\r\n\n  \n')}`
      const { code, rows, err } = await cli(['embed'], { input })
      assert.equal(code, 1)
      assert.equal(err, 'bareclip: 14 of 17 items failed\n')
      assert.deepEqual(
        rows.map(({ index, error }) => [index, error?.code]),
        items.map(([, expected], index) => [index, expected]),
      )
      for (const { error, embedding } of rows) {
        assert.equal(embedding === undefined, error !== undefined)
        if (error) assert.ok(error.message.length > 10)
      }
      for (const i of [5, 6, 8, 9, 10, 11]) assert.ok(rows[i]!.error!.message.includes(folder), rows[i]!.error!.message)
    }))

  it('reads a file, keeps the order over many batches, and replaces invalid UTF-8', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'items.ndjson')
      const words = ['red', 'green', 'blue']
      const lines = Array.from({ length: 150 }, (_, i) => ({ text: words[i % 3] }))
      writeFileSync(path, Buffer.concat([Buffer.from(ndjson(...lines)), Buffer.from('{"text": "\xff"}', 'latin1')]))
      const { code, rows } = await cli(['embed', path, '--dimensions', '2'])
      assert.equal(code, 0)
      assert.equal(rows.length, 151)
      rows.forEach(({ index, embedding }, i) => {
        assert.equal(index, i)
        if (i < 150) assert.deepEqual(embedding, rows[i % 3]!.embedding)
      })
      assert.notDeepEqual(rows[0]!.embedding, rows[1]!.embedding)
    }))

  it('answers a producer that waits', async () => {
    const stdin = new PassThrough()
    const answers = new PassThrough()
    const ended = cli(['embed', '--dimensions', '1'], { input: stdin, stdout: answers })
    for (const index of [0, 1]) {
      stdin.write(ndjson({ text: 'a' }))
      const line = await new Promise<string>((resolve) => answers.once('data', (chunk) => resolve(`${chunk}`)))
      assert.equal(JSON.parse(line).index, index)
    }
    stdin.end()
    assert.equal((await ended).code, 0)
  })

  it('takes the options of encodeText and encodeImage', async () => {
    const input = ndjson({ text: 'a red circle' })
    const long = ndjson({ text: 'red '.repeat(20) }, { text: 'red' }, { image: circle })
    using clip = await load()

    const raw = await cli(['embed', '-', '--no-normalize', '--dimensions', '5'], { input })
    const expected = (await clip.encodeText('a red circle', { normalize: false, dimensions: 5 })).row(0)
    assert.deepEqual(Float32Array.from(raw.rows[0]!.embedding), expected)

    const cut = await cli(['embed', '--max-tokens', '8'], { input: long })
    assert.deepEqual(
      cut.rows.map(({ tokens, truncated }) => [tokens, truncated]),
      [
        [8, true],
        [3, false],
        [4000, false],
      ],
    )
    assert.equal(cut.code, 0)

    const refused = await cli(['embed', '--max-tokens', '8', '--on-long-text', 'error'], { input: long })
    assert.deepEqual(
      refused.rows.map(({ error }) => error?.code),
      ['TEXT_TOO_LONG', undefined, undefined],
    )
    assert.equal(refused.code, 1)

    const mean = await cli(['embed', '--max-tokens', '8', '--on-long-text', 'chunk-mean'], { input: long })
    assert.deepEqual([mean.code, mean.rows[0]!.truncated], [0, false])
    const half = await cli(['embed', '--dtype', 'f16', '--threads', '1', '--device', 'reference'], { input })
    assert.equal(half.code, 0)
  })

  describe('--output', () => {
    const input = `${ndjson({ text: 'a star' })}oops\n${ndjson({ image: hexagon })}`

    it('writes the same numbers in every format; a failed item is NaN and told on stderr', () =>
      inFolder(async (folder) => {
        const { rows } = await cli(['embed'], { input })
        const expected = [...rows[0]!.embedding, ...new Array(128).fill(Number.NaN), ...rows[2]!.embedding]
        const at = (name: string) => join(folder, name)
        for (const name of ['a.ndjson', 'a.jsonl', 'a.npy', 'A.SAFETENSORS']) {
          const { code, out, err } = await cli(['embed', '--output', at(name)], { input })
          assert.equal(code, 1)
          assert.equal(out, '')
          const told = name.endsWith('l') || name.endsWith('n') ? /^/ : /^bareclip: item 1: .*not JSON/
          assert.match(err, told)
          assert.match(err, /bareclip: 1 of 3 items failed\n$/)
        }
        for (const name of ['a.ndjson', 'a.jsonl']) assert.deepEqual(parseLines(readFileSync(at(name), 'utf8')), rows)
        const npy = readNpy(at('a.npy'))
        assert.deepEqual([npy.rows, npy.dimensions], [3, 128])
        assert.deepEqual(npy.data, Float32Array.from(expected))
        const safetensors = await readEmbeddings(at('A.SAFETENSORS'))
        assert.deepEqual(safetensors.shape, [3, 128])
        assert.deepEqual(safetensors.data, Float32Array.from(expected))
        assert.deepEqual(readdirSync(folder).sort(), ['A.SAFETENSORS', 'a.jsonl', 'a.ndjson', 'a.npy'])
      }))

    it('writes a valid empty file for no items', () =>
      inFolder(async (folder) => {
        for (const empty of ['', '\n \r\n', '\ufeff']) {
          for (const name of ['a.ndjson', 'a.npy', 'a.safetensors']) {
            const path = join(folder, name)
            const { code, out, err } = await cli(['embed', '--output', path, '--dimensions', '7'], { input: empty })
            assert.deepEqual([code, out, err], [0, '', ''])
            if (name === 'a.ndjson') assert.equal(readFileSync(path, 'utf8'), '')
            if (name === 'a.npy') assert.deepEqual(readNpy(path), { rows: 0, dimensions: 7, data: new Float32Array(0) })
            if (name === 'a.safetensors') assert.deepEqual((await readEmbeddings(path)).shape, [0, 7])
          }
          assert.deepEqual(await cli(['embed'], { input: empty }), { code: 0, out: '', err: '', rows: [] })
        }
      }))

    it('may be the file that is read', () =>
      inFolder(async (folder) => {
        const path = join(folder, 'a.ndjson')
        writeFileSync(path, input)
        assert.equal((await cli(['embed', path, '--output', path])).code, 1)
        assert.equal(parseLines(readFileSync(path, 'utf8')).length, 3)
      }))

    it('leaves the old file and nothing else when it fails or is stopped', () =>
      inFolder(async (folder) => {
        const path = join(folder, 'a.npy')
        writeFileSync(path, 'old')
        const intact = () => {
          assert.equal(readFileSync(path, 'utf8'), 'old')
          assert.deepEqual(readdirSync(folder), ['a.npy'])
        }
        const args = ['embed', '--output', path]
        assert.equal((await cli([...args, '--model', join(folder, 'nowhere')], { input })).code, 2)
        intact()
        assert.equal((await cli([...args, '--dimensions', '129'], { input })).code, 2)
        intact()
        const broken = new PassThrough()
        broken.write(ndjson({ text: 'a' }))
        setTimeout(() => broken.destroy(new Error('the disk is gone')), 300)
        const lost = await cli(args, { input: broken })
        assert.deepEqual([lost.code, lost.err], [2, 'bareclip: cannot read stdin: the disk is gone\n'])
        intact()
        for (const wait of [0, 300]) {
          const stuck = new PassThrough()
          stuck.write(ndjson({ text: 'a' }))
          const controller = new AbortController()
          setTimeout(() => controller.abort(new Error('stop')), wait)
          const stopped = await cli(args, { input: stuck, signal: controller.signal })
          assert.deepEqual([stopped.code, stopped.err], [2, ''])
          intact()
        }
      }))
  })

  describe('wrong usage', () => {
    const cases: readonly [string[], RegExp][] = [
      [['embed', 'a', 'b'], /too many arguments/],
      [['embed', '--nope'], /unknown option '--nope'/],
      [['embed', '--model'], /argument missing/],
      [['embed', '--model', ''], /path of a folder/],
      [['embed', '--device', 'gpu'], /Allowed choices are auto, reference, wasm, webgpu/],
      [['embed', '--device', 'webgpu'], /there is no webgpu device/],
      [['embed', '--dtype', 'f8'], /Allowed choices/],
      [['embed', '--threads', '0'], /integer from 1/],
      [['embed', '--threads', '1.5'], /integer from 1/],
      [['embed', '--threads', '-1'], /integer from 1|argument missing/],
      [['embed', '--threads', '1e1'], /integer from 1/],
      [['embed', '--dimensions', 'x'], /integer from 1/],
      [['embed', '--dimensions', '129'], /dimensions should be an integer from 1 to 128, found 129/],
      [['embed', '--max-tokens', '1'], /integer from 2/],
      [['embed', '--max-tokens', '2', '--on-long-text', 'chunk-mean'], /at least 3/],
      [['embed', '--on-long-text', 'drop'], /Allowed choices/],
      [['embed', '--output', 'a.txt'], /\.ndjson, \.jsonl, \.npy, \.safetensors/],
      [['embed', '--output', 'npy'], /\.ndjson/],
      [['embed', '--output', ''], /\.ndjson/],
      [['embed', 'no-such-file.ndjson'], /no such file: no-such-file\.ndjson/],
      [['embed', root], /expected a file, found a folder/],
      [['embed', '--model', '/no/such/folder'], /no model at \/no\/such\/folder/],
    ]
    for (const [args, message] of cases) {
      it(args.join(' '), async () => {
        const { code, out, err } = await cli(args, { input: ndjson({ text: 'a' }) })
        assert.equal(code, 2)
        assert.equal(out, '')
        assert.match(err, message)
        assert.match(err, /^bareclip: [^\n]+\n$/)
      })
    }

    it('a wrong extension is told before anything is loaded or made', () =>
      inFolder(async (folder) => {
        const path = join(folder, 'a.csv')
        const { err } = await cli(['embed', '--output', path, '--model', join(folder, 'nowhere')])
        assert.match(err, /\.npy/)
        assert.deepEqual(readdirSync(folder), [])
      }))
  })

  it('refuses models that cannot be loaded, with exit code 2', () =>
    inFolder(async (folder) => {
      const shapes = join(root, 'shapes')
      const copy = (name: string, without: string) => {
        mkdirSync(join(folder, name))
        for (const file of ['config.json', 'tokenizer.json', 'model.safetensors', 'preprocessor_config.json']) {
          if (file !== without) copyFileSync(join(shapes, file), join(folder, name, file))
        }
        return join(folder, name)
      }
      const cases: [string, RegExp][] = [
        [copy('no-config', 'config.json'), /no model at/],
        [copy('no-tokenizer', 'tokenizer.json'), /no such file.*tokenizer\.json/],
        [copy('no-weights', 'model.safetensors'), /no such file.*model\.safetensors/],
        [copy('bad-config', ''), /not JSON/],
        [copy('cut', ''), /model\.safetensors: /],
      ]
      writeFileSync(join(folder, 'bad-config', 'config.json'), '{"model_type": ')
      writeFileSync(
        join(folder, 'cut', 'model.safetensors'),
        readFileSync(join(shapes, 'model.safetensors')).subarray(0, 9999),
      )
      for (const [model, message] of cases) {
        const { code, out, err } = await cli(['embed', '--model', model], { input: ndjson({ text: 'a' }) })
        assert.equal(code, 2)
        assert.equal(out, '')
        assert.match(err, message)
        assert.match(err, /^bareclip: [^\n]+\n$/)
      }
      assert.equal((await cli(['embed', '--model', copy('whole', '')], { input: ndjson({ text: 'a' }) })).code, 0)
      const silent = copy('no-preprocessor', 'preprocessor_config.json')
      assert.equal((await cli(['embed', '--model', silent], { input: ndjson({ text: 'a' }) })).code, 0)
    }))

  it('a model without a vision tower fails the pictures and embeds the texts', () =>
    inFolder(async (folder) => {
      for (const file of ['config.json', 'model.safetensors']) {
        copyFileSync(join(fixtures, 'golden/tiny-jinabert', file), join(folder, file))
      }
      copyFileSync(join(root, 'shapes/tokenizer.json'), join(folder, 'tokenizer.json'))
      const input = ndjson({ image: circle }, { tokens: [5, 6, 7] })
      const { code, rows } = await cli(['embed', '--model', folder], { input })
      assert.equal(code, 1)
      assert.deepEqual(
        rows.map(({ error }) => error?.code),
        ['UNSUPPORTED_MODEL', undefined],
      )
    }))

  it('tells that stdout cannot be written; where nobody reads any more it just stops', async () => {
    const failing = (code: string) =>
      new Writable({
        write(_, __, done) {
          done(Object.assign(new Error(`${code}: write`), { code }))
        },
      })
    const input = ndjson({ text: 'a' })
    const full = await cli(['embed'], { input, stdout: failing('ENOSPC') })
    assert.deepEqual([full.code, full.err], [2, 'bareclip: cannot write to stdout: ENOSPC: write\n'])
    const closed = await cli(['embed'], { input, stdout: failing('EPIPE') })
    assert.deepEqual([closed.code, closed.err], [0, ''])
  })

  it('names the model in use on a terminal, and only there', async () => {
    const { err } = await cli(['embed'], { input: ndjson({ text: 'a' }), isTTY: true })
    assert.match(err, /^bareclip: using the small demonstration model.*--model DIR.*\n/)
  })

  it('takes a folder given with a slash at the end', async () => {
    assert.ok(existsSync(`${root}shapes/`))
    assert.equal((await cli(['embed', '--model', `${root}shapes/`], { input: ndjson({ text: 'a' }) })).code, 0)
  })
})
