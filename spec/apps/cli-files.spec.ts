import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { decodeImage, preprocess, readPreprocessing } from '../../loaders/image/image.ts'
import { openSafetensors } from '../../loaders/safetensors/safetensors.ts'
import { openSource } from '../../loaders/source.ts'
import { cli, fixtures, inFolder, ndjson, pictures, root } from './cli-run.ts'

const picture = (name: string) => join(pictures, name)
const weights = join(fixtures, 'golden/tiny-a/model.safetensors')

/** A model's files without its weights. */
function weightless(folder: string): string {
  for (const file of ['config.json', 'tokenizer.json', 'preprocessor_config.json']) {
    copyFileSync(join(root, 'shapes', file), join(folder, file))
  }
  return folder
}

async function readTensors(path: string): Promise<Map<string, { shape: readonly number[]; data: Float32Array }>> {
  const file = await openSafetensors(await openSource(path))
  try {
    const tensors = new Map<string, { shape: readonly number[]; data: Float32Array }>()
    for (const { name, shape } of file.tensors.values()) {
      tensors.set(name, { shape, data: new Float32Array((await file.read(name)).slice().buffer) })
    }
    return tensors
  } finally {
    await file.close()
  }
}

describe('bareclip tokenize', () => {
  it('gives ids and the vocabulary’s entries, without weights', () =>
    inFolder(async (folder) => {
      const input = ndjson({ text: 'A red circle' }, { text: '' }, { text: '😀' })
      const { code, rows, err } = await cli(['tokenize', '--model', weightless(folder)], { input })
      assert.deepEqual([code, err], [0, ''])
      assert.deepEqual(rows, [
        { index: 0, ids: [2, 43, 152, 192, 3], tokens: ['[CLS]', 'a', 'red', 'circle', '[SEP]'] },
        { index: 1, ids: [2, 3], tokens: ['[CLS]', '[SEP]'] },
        { index: 2, ids: [2, 1, 3], tokens: ['[CLS]', '[UNK]', '[SEP]'] },
      ])
    }))

  it('says where --max-tokens cut, and keeps long texts whole without it', async () => {
    const input = ndjson({ text: 'a red circle' }, { text: 'a red' }, { text: 'red '.repeat(10_000) })
    const cut = await cli(['tokenize', '--max-tokens', '4'], { input })
    assert.deepEqual(
      cut.rows.map(({ ids, truncated }) => [ids.length, truncated]),
      [
        [4, true],
        [4, undefined],
        [4, true],
      ],
    )
    const whole = await cli(['tokenize', '-'], { input })
    assert.deepEqual([whole.rows[2]!.ids.length, whole.rows[2]!.truncated], [10_002, undefined])
  })

  it('goes on after lines that are no texts', async () => {
    const input = `oops\n${ndjson({ image: 'a.png' }, { tokens: [1] }, { text: 3 }, { text: 'red' })}`
    const { code, rows, err } = await cli(['tokenize'], { input })
    assert.equal(code, 1)
    assert.equal(err, 'bareclip: 4 of 5 lines failed\n')
    assert.deepEqual(
      rows.map(({ index, error }) => [index, error?.code]),
      [0, 1, 2, 3, 4].map((index) => [index, index < 4 ? 'INVALID_INPUT' : undefined]),
    )
    assert.deepEqual(rows[4]!.tokens, ['[CLS]', 'red', '[SEP]'])
  })

  it('fails with 2 on a missing file or model', async () => {
    for (const args of [
      ['tokenize', 'no-such-file'],
      ['tokenize', '--model', '/no/such/folder'],
      ['tokenize', '--max-tokens', '1'],
    ]) {
      const { code, out, err } = await cli(args, { input: ndjson({ text: 'a' }) })
      assert.deepEqual([code, out], [2, ''])
      assert.match(err, /^bareclip: [^\n]+\n$/)
    }
  })
})

describe('bareclip pixels', () => {
  it('writes what the tower sees, by file name, without weights', () =>
    inFolder(async (folder) => {
      const output = join(folder, 'pixels.safetensors')
      const images = [picture('red-circle.png'), picture('brown-hexagon.jpg')]
      const { code, out, err } = await cli(['pixels', ...images, '--output', output, '--model', weightless(folder)])
      assert.deepEqual([code, out, err], [0, '', ''])
      const tensors = await readTensors(output)
      assert.deepEqual([...tensors.keys()], ['red-circle.png', 'brown-hexagon.jpg'])
      const preprocessing = readPreprocessing({ size: 64 })
      for (const path of images) {
        const { shape, data } = tensors.get(path.slice(pictures.length))!
        assert.deepEqual(shape, [3, 64, 64])
        assert.deepEqual(data, preprocess(await decodeImage(readFileSync(path)), preprocessing))
      }
    }))

  it('names pictures of the same file name by their paths, and goes on after bad ones', () =>
    inFolder(async (folder) => {
      for (const name of ['a', 'b']) {
        mkdirSync(join(folder, name))
        copyFileSync(picture(name === 'a' ? 'red-circle.png' : 'yellow-star.png'), join(folder, name, 'x.png'))
      }
      writeFileSync(join(folder, 'bad.png'), readFileSync(picture('red-circle.png')).subarray(0, 3000))
      const [a, b, bad, missing] = ['a/x.png', 'b/x.png', 'bad.png', 'missing.png'].map((name) => join(folder, name))
      const output = join(folder, 'pixels.safetensors')
      const { code, out, err } = await cli(['pixels', a!, bad!, missing!, b!, '--output', output])
      assert.deepEqual([code, out], [1, ''])
      const lines = err.split('\n')
      assert.ok(lines[0]!.startsWith(`bareclip: ${bad}: `), err)
      assert.equal(lines[1], `bareclip: no such file: ${missing}`)
      assert.equal(lines[2], 'bareclip: 2 of 4 pictures failed')
      const tensors = await readTensors(output)
      assert.deepEqual([...tensors.keys()], [a, b])
      assert.notDeepEqual(tensors.get(a!)!.data, tensors.get(b!)!.data)
    }))

  it('writes an empty file where every picture failed', () =>
    inFolder(async (folder) => {
      const output = join(folder, 'pixels.safetensors')
      assert.equal((await cli(['pixels', 'missing.png', '--output', output])).code, 1)
      assert.equal((await readTensors(output)).size, 0)
    }))

  it('fails with 2 for a model without a vision tower', () =>
    inFolder(async (folder) => {
      copyFileSync(join(fixtures, 'golden/tiny-jinabert/config.json'), join(folder, 'config.json'))
      copyFileSync(join(root, 'shapes/tokenizer.json'), join(folder, 'tokenizer.json'))
      const output = join(folder, 'a.safetensors')
      const { code, err } = await cli(['pixels', picture('red-circle.png'), '--output', output, '--model', folder])
      assert.equal(code, 2)
      assert.match(err, /^bareclip: this model has no vision tower[^\n]*\n$/)
      assert.ok(!readdirSync(folder).includes('a.safetensors'))
    }))

  it('fails with 2, and leaves nothing, on wrong usage', () =>
    inFolder(async (folder) => {
      const [image, output] = [picture('red-circle.png'), join(folder, 'a.safetensors')]
      const cases: [string[], RegExp][] = [
        [['pixels', '--output', output], /missing required argument 'image'/],
        [['pixels', image], /required option '--output <file>' not specified/],
        [['pixels', image, '--output', join(folder, 'a.npy')], /\.safetensors/],
        [['pixels', image, image, '--output', output], /red-circle\.png is given twice/],
        [['pixels', '__metadata__', '--output', output], /__metadata__/],
        [['pixels', image, '--output', output, '--model', '/no/such/folder'], /no model at/],
        [['pixels', image, '--output', join(folder, 'no', 'a.safetensors')], /no such folder/],
      ]
      for (const [args, message] of cases) {
        const { code, out, err } = await cli(args)
        assert.deepEqual([code, out], [2, ''])
        assert.match(err, message)
        assert.match(err, /^bareclip: [^\n]+\n$/)
        assert.deepEqual(readdirSync(folder), [])
      }
    }))
})

describe('bareclip inspect', () => {
  it('lists the file, then its tensors', async () => {
    const { code, out, err } = await cli(['inspect', weights])
    assert.deepEqual([code, err], [0, ''])
    const [file, ...tensors] = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    assert.deepEqual(Object.keys(file), ['file', 'bytes', 'metadata', 'tensors', 'parameters'])
    assert.equal(file.file, weights)
    assert.equal(file.bytes, readFileSync(weights).length)
    assert.equal(file.tensors, tensors.length)
    const sum = (numbers: number[]) => numbers.reduce((total, n) => total + n, 0)
    assert.equal(file.parameters * 4, sum(tensors.map(({ bytes }) => bytes)))
    assert.deepEqual(
      tensors.find(({ name }) => name === 'logit_scale'),
      { name: 'logit_scale', dtype: 'F32', shape: [], bytes: 4 },
    )
  })

  it('fails with 2 on what is no safetensors file', () =>
    inFolder(async (folder) => {
      const cut = join(folder, 'cut.safetensors')
      writeFileSync(cut, readFileSync(weights).subarray(0, 5000))
      const empty = join(folder, 'empty.safetensors')
      writeFileSync(empty, '')
      const cases: [string, RegExp][] = [
        [cut, /cut\.safetensors: /],
        [empty, /found a file of 0 bytes/],
        [picture('red-circle.png'), /red-circle\.png: /],
        [join(folder, 'missing.safetensors'), /no such file/],
        [folder, /folder/],
      ]
      for (const [path, message] of cases) {
        const { code, out, err } = await cli(['inspect', path])
        assert.deepEqual([code, out], [2, ''])
        assert.match(err, message)
        assert.match(err, /^bareclip: [^\n]+\n$/)
      }
    }))
})
