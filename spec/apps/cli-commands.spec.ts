import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { load } from '../../index.ts'
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

describe('bareclip classify', () => {
  const labels = 'red circle, yellow star ,black arrow'

  it('puts the best label first, and gives what the library gives', async () => {
    const images = ['red-circle.png', 'black-arrow.png', 'yellow-star.png'].map(picture)
    const { code, rows, err } = await cli(['classify', ...images, '--labels', labels, '--template', 'a {}'])
    assert.deepEqual([code, err], [0, ''])
    assert.deepEqual(
      rows.map(({ index, image, label }) => [index, image, label]),
      [
        [0, images[0], 'red circle'],
        [1, images[1], 'black arrow'],
        [2, images[2], 'yellow star'],
      ],
    )
    using clip = await load()
    const expected = await clip.classify(readFileSync(images[0]!), ['red circle', 'yellow star', 'black arrow'], {
      template: 'a {}',
    })
    const { scores, probability } = rows[0]!
    assert.equal(probability, scores[0]!.probability)
    scores.forEach((score, i) => {
      assert.equal(score.label, expected[i]!.label)
      assert.equal(Math.fround(score.probability), Math.fround(expected[i]!.probability))
      assert.equal(Math.fround(score.cosine), Math.fround(expected[i]!.cosine))
    })
  })

  it('goes on after pictures that cannot be read or decoded', () =>
    inFolder(async (folder) => {
      const text = join(folder, 'text.png')
      writeFileSync(text, 'hello')
      const images = ['missing.png', picture('yellow-star.png'), text]
      const { code, rows, err } = await cli(['classify', ...images, '--labels', labels])
      assert.equal(code, 1)
      assert.equal(err, 'bareclip: 2 of 3 pictures failed\n')
      assert.deepEqual(
        rows.map(({ index, image, label, error }) => [index, image, label, error?.code]),
        [
          [0, 'missing.png', undefined, 'READ_FAILED'],
          [1, images[1], 'yellow star', undefined],
          [2, text, undefined, 'INVALID_IMAGE'],
        ],
      )
      assert.ok(rows[2]!.error!.message.startsWith(`${text}: `))
    }))

  it('refuses wrong usage with 2', async () => {
    const image = picture('red-circle.png')
    const cases: [string[], RegExp][] = [
      [['classify', '--labels', 'a,b'], /missing required argument 'image'/],
      [['classify', image], /required option '--labels <a,b,c>' not specified/],
      [['classify', image, '--labels', ''], /none empty/],
      [['classify', image, '--labels', 'a,,b'], /none empty/],
      [['classify', image, '--labels', 'a, '], /none empty/],
      [['classify', image, '--labels', 'a,b', '--template', 'a photo'], /\{\} where the label goes/],
    ]
    for (const [args, message] of cases) {
      const { code, out, err } = await cli(args)
      assert.deepEqual([code, out], [2, ''])
      assert.match(err, message)
    }
  })
})

describe('bareclip search', () => {
  it('lists the ten best pictures, best first', async () => {
    const { code, rows, err } = await cli(['search', pictures, 'a yellow star'])
    assert.deepEqual([code, err], [0, ''])
    assert.deepEqual(
      rows.map(({ rank }) => rank),
      Array.from({ length: 10 }, (_, i) => i + 1),
    )
    assert.equal(rows[0]!.image, picture('yellow-star.png'))
    assert.ok(rows.every(({ cosine }, i) => i === 0 || cosine <= rows[i - 1]!.cosine))
    assert.ok(rows[0]!.cosine > 0.5 && rows[9]!.cosine < 0.3)
  })

  it('lists as many as asked for, or as there are', () =>
    inFolder(async (folder) => {
      for (const name of ['red-circle.png', 'yellow-star.png']) copyFileSync(picture(name), join(folder, name))
      const one = await cli(['search', `${folder}/`, 'a red circle', '--top', '1'])
      assert.deepEqual(
        one.rows.map(({ rank, image }) => [rank, image]),
        [[1, join(folder, 'red-circle.png')]],
      )
      assert.equal((await cli(['search', folder, 'a red circle', '--top', '99'])).rows.length, 2)
    }))

  it('takes pictures by extension, from this folder only, and names those it cannot read', () =>
    inFolder(async (folder) => {
      copyFileSync(picture('red-circle.png'), join(folder, 'A.PNG'))
      copyFileSync(picture('brown-hexagon.jpg'), join(folder, 'b.jpeg'))
      copyFileSync(picture('yellow-star.png'), join(folder, 'c.webp'))
      mkdirSync(join(folder, 'sub'))
      copyFileSync(picture('yellow-star.png'), join(folder, 'sub', 'd.png'))
      mkdirSync(join(folder, 'e.png'))
      writeFileSync(join(folder, 'f.jpg'), 'hello')
      const { code, rows, err } = await cli(['search', folder, 'a brown hexagon'])
      assert.equal(code, 1)
      assert.deepEqual(
        rows.map(({ image }) => image),
        [join(folder, 'b.jpeg'), join(folder, 'A.PNG')],
      )
      const lines = err.trimEnd().split('\n')
      assert.equal(lines.length, 3)
      assert.ok(lines[0]!.includes(join(folder, 'e.png')) && lines[1]!.includes(join(folder, 'f.jpg')), err)
      assert.equal(lines[2], 'bareclip: 2 of 4 pictures failed')
    }))

  it('fails with 2 where there is nothing to search or to search for', () =>
    inFolder(async (folder) => {
      const cases: [string[], RegExp][] = [
        [['search', folder, 'a star'], /there are no pictures \(\.png, \.jpg, \.jpeg\) in/],
        [['search', join(folder, 'nowhere'), 'a star'], /cannot read the folder/],
        [['search', pictures, ' '], /the query is empty/],
        [['search', pictures], /missing required argument 'query'/],
        [['search', pictures, 'a star', '--top', '0'], /integer from 1/],
      ]
      for (const [args, message] of cases) {
        const { code, out, err } = await cli(args)
        assert.deepEqual([code, out], [2, ''])
        assert.match(err, message)
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

describe('bareclip synth', () => {
  it('writes a model that embeds; the seed decides', () =>
    inFolder(async (folder) => {
      const make = async (name: string, ...args: string[]) => {
        const { code, out, err } = await cli(['synth', join(folder, name), '--size', 'tiny-a', ...args])
        assert.deepEqual([code, out, err], [0, '', ''])
        return readFileSync(join(folder, name, 'model.safetensors'))
      }
      const decimal = await make('a', '--seed', '255')
      assert.deepEqual(await make('b', '--seed', '0xFF'), decimal)
      assert.notDeepEqual(await make('c'), decimal)
      assert.notDeepEqual(await make('d', '--seed', '255', '--outliers'), decimal)
      const half = await make('e', '--seed', '255', '--dtype', 'f16')
      assert.ok(half.length < 0.6 * decimal.length)
      const { code, rows } = await cli(['embed', '--model', join(folder, 'e')], {
        input: ndjson({ tokens: [1, 2, 3] }),
      })
      assert.equal(code, 0)
      assert.equal(rows[0]!.embedding.length, 64)
    }))

  it('refuses wrong usage with 2', () =>
    inFolder(async (folder) => {
      writeFileSync(join(folder, 'file'), '')
      const target = join(folder, 'model')
      const cases: [string[], RegExp][] = [
        [['synth', target], /required option '--size <size>' not specified/],
        [['synth', '--size', 'tiny-a'], /missing required argument 'dir'/],
        [['synth', target, '--size', 'huge'], /Allowed choices/],
        [['synth', target, '--size', 'tiny-a', '--seed', '-1'], /0xffffffff|argument missing/],
        [['synth', target, '--size', 'tiny-a', '--seed', '4294967296'], /0xffffffff/],
        [['synth', target, '--size', 'tiny-a', '--seed', '0x1g'], /0xffffffff/],
        [['synth', target, '--size', 'tiny-a', '--dtype', 'q8'], /Allowed choices/],
        [['synth', join(folder, 'file', 'model'), '--size', 'tiny-a'], /cannot write/],
      ]
      for (const [args, message] of cases) {
        const { code, out, err } = await cli(args)
        assert.deepEqual([code, out], [2, ''])
        assert.match(err, message)
        assert.deepEqual(readdirSync(folder), ['file'])
      }
    }))

  it('leaves nothing behind when it is stopped', () =>
    inFolder(async (folder) => {
      const signal = AbortSignal.timeout(100)
      const { code, err } = await cli(['synth', join(folder, 'model'), '--size', 'full'], { signal })
      assert.deepEqual([code, err], [2, ''])
      assert.deepEqual(readdirSync(folder), [])
    }))
})

describe('bareclip info', () => {
  it('tells version, runtime, cores and devices as one line of JSON', async () => {
    const { code, out, err } = await cli(['info'])
    assert.deepEqual([code, err], [0, ''])
    assert.match(out, /^[^\n]+\n$/)
    const info = JSON.parse(out)
    assert.equal(info.version, JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version)
    assert.ok(['node', 'deno', 'bun'].includes(info.runtime.name) && info.runtime.version)
    assert.ok(info.cores >= 1)
    assert.deepEqual(
      info.devices.map(({ name, available }: { name: string; available: boolean }) => [name, available]),
      [
        ['reference', true],
        ['wasm', true],
        ['webgpu', false],
      ],
    )
    for (const { reason } of info.devices) assert.ok(reason.length > 10)
    assert.equal((await cli(['embed', '--model', info.defaultModel.path])).code, 0)
  })
})

describe('bareclip, help and unknown commands', () => {
  const commands = ['embed', 'classify', 'search', 'tokenize', 'pixels', 'inspect', 'synth', 'bench', 'info']

  it('lists its commands; each has help with one example', async () => {
    const { code, out, err } = await cli(['--help'])
    assert.deepEqual([code, err], [0, ''])
    for (const command of commands) {
      assert.match(out, new RegExp(`^  ${command} `, 'm'))
      const help = await cli([command, '--help'])
      assert.deepEqual([help.code, help.err], [0, ''])
      assert.equal(help.out.split('Example:').length, 2)
      assert.match(help.out, new RegExp(`bareclip ${command}\\b`))
    }
    for (const command of ['pull', 'verify', 'serve']) assert.ok(!out.includes(command))
  })

  it('prints its version', async () => {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
    assert.deepEqual(await cli(['--version']), { code: 0, out: `${version}\n`, err: '', rows: [] })
  })

  it('ends with 2 without a command or with an unknown one', async () => {
    const none = await cli([])
    assert.deepEqual([none.code, none.out], [2, ''])
    assert.match(none.err, /^Usage: bareclip/)
    const unknown = await cli(['embedd'])
    assert.deepEqual([unknown.code, unknown.out], [2, ''])
    assert.match(unknown.err, /^bareclip: unknown command 'embedd' \(Did you mean embed\?\)\n$/)
    assert.equal((await cli(['--nope'])).code, 2)
  })
})
