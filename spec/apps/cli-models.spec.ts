import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { load } from '../../index.ts'
import { cli, inFolder, ndjson, pictures, root } from './cli-run.ts'

const picture = (name: string) => join(pictures, name)

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
    const names = info.devices.map(({ name }: { name: string }) => name)
    assert.deepEqual(names, ['reference', 'wasm', 'webgpu'])
    for (const { name, available } of info.devices) assert.ok(available || name === 'webgpu', name)
    for (const { reason } of info.devices) assert.ok(reason.length > 10)
    assert.equal((await cli(['embed', '--model', info.defaultModel.path])).code, 0)
  })
})

describe('bareclip info --explain', () => {
  it('prints which kernels run and what a sample takes', async () => {
    const picture = join(pictures, 'yellow-star.png')
    const args = ['info', '--explain', '--device', 'wasm', '--text', 'a red circle', '--image', picture]
    const { code, out, err } = await cli(args)
    assert.deepEqual([code, err], [0, ''])
    for (const word of ['wasm: ', 'why: asked for by name', 'patch-embed', 'rotary', 'sample: ', 'GFLOP/s']) {
      assert.ok(out.includes(word), word)
    }
    assert.ok(!(await cli(['info', '--explain', '--device', 'reference'])).out.includes('sample: '))
  })

  it('ends with 2 for a picture that is not there, or options without --explain', async () => {
    const missing = await cli(['info', '--explain', '--image', 'nowhere.png'])
    assert.deepEqual([missing.code, missing.out], [2, ''])
    assert.match(missing.err, /no such file: nowhere\.png/)
    const alone = await cli(['info', '--text', 'a'])
    assert.deepEqual([alone.code, alone.err], [2, 'bareclip: --text goes with --explain\n'])
  })
})
