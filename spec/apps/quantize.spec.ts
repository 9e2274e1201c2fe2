import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { quantizeFolder } from '../../apps/quantize/quantize-folder.ts'
import { writeSynth } from '../../apps/synth/checkpoint.ts'
import { cli, inFolder, ndjson } from './cli-run.ts'

const names = ['config.json', 'model.safetensors', 'preprocessor_config.json', 'tokenizer.json']

/** A small model in `folder`/source. */
async function sourceIn(folder: string): Promise<string> {
  const source = join(folder, 'source')
  await writeSynth(source, { size: 'tiny-e2e' })
  return source
}

describe('bareclip quantize', () => {
  for (const dtype of ['f16', 'q12', 'q8']) {
    it(`${dtype}: a folder that loads like any other, other files as they were, sizes on stderr`, () =>
      inFolder(async (folder) => {
        const source = await sourceIn(folder)
        const output = join(folder, 'a', dtype)
        const { code, out, err } = await cli(['quantize', source, '--dtype', dtype, '--output', output])
        const [before, after] = [source, output].map((at) => statSync(join(at, 'model.safetensors')).size)
        assert.deepEqual([code, out], [0, ''])
        assert.equal(
          err,
          `bareclip: model.safetensors: ${before} bytes before, ${after} as ${dtype}: ${((100 * after!) / before!).toFixed(1)} %\n`,
        )
        assert.deepEqual(readdirSync(output).sort(), names)
        for (const name of names.filter((name) => name.endsWith('.json'))) {
          assert.deepEqual(readFileSync(join(output, name)), readFileSync(join(source, name)), name)
        }
        const input = ndjson({ text: 'a blue bird' })
        const own = await cli(['embed', '--model', output, '--device', 'reference'], { input })
        const asked = await cli(['embed', '--model', source, '--device', 'reference', '--dtype', dtype], { input })
        assert.deepEqual([own.code, own.rows], [0, asked.rows])
      }))
  }

  it('refuses the model itself, also by another name', () =>
    inFolder(async (folder) => {
      const source = await sourceIn(folder)
      const link = join(folder, 'link')
      symlinkSync(source, link, 'dir')
      for (const output of [source, `${source}/`, link]) {
        const { code, err } = await cli(['quantize', source, '--dtype', 'q8', '--output', output, '--force'])
        assert.deepEqual(
          [code, err],
          [2, `bareclip: ${output} is the model itself: choose another folder for the output\n`],
        )
      }
      assert.deepEqual(readdirSync(source).sort(), names)
    }))

  it('replaces a model only with --force, and leaves other files alone', () =>
    inFolder(async (folder) => {
      const source = await sourceIn(folder)
      const output = join(folder, 'out')
      mkdirSync(output)
      writeFileSync(join(output, 'notes.txt'), 'mine')
      const args = ['quantize', source, '--dtype', 'q8', '--output', output]
      assert.equal((await cli(args)).code, 0)
      const first = readFileSync(join(output, 'model.safetensors'))
      const again = await cli(['quantize', source, '--dtype', 'q12', '--output', output])
      assert.equal(again.code, 2)
      assert.equal(
        again.err,
        `bareclip: ${output} holds model.safetensors already: choose another folder, or replace the model there with --force\n`,
      )
      assert.deepEqual(readFileSync(join(output, 'model.safetensors')), first)
      assert.equal((await cli(['quantize', source, '--dtype', 'q12', '--output', output, '--force'])).code, 0)
      assert.ok(statSync(join(output, 'model.safetensors')).size > first.length)
      assert.deepEqual(readdirSync(output).sort(), [...names, 'notes.txt'].sort())
    }))

  it('a model that is quantised already, none at all, wrong usage: 2, and nothing written', () =>
    inFolder(async (folder) => {
      const source = await sourceIn(folder)
      const small = join(folder, 'small')
      await quantizeFolder(source, small, { dtype: 'q8' })
      const output = join(folder, 'out')
      const cases: [args: string[], message: RegExp][] = [
        [
          [small, '--dtype', 'q8', '--output', output],
          /model\.safetensors is q8 already: expected the original weights/,
        ],
        [[small, '--dtype', 'f16', '--output', output], /is q8 already/],
        [[join(folder, 'none'), '--dtype', 'q8', '--output', output], /no model at .*none: expected a folder/],
        [[source, '--output', output], /--dtype/],
        [[source, '--dtype', 'f32', '--output', output], /f16, q12, q8/],
        [[source, '--dtype', 'q8'], /--output/],
        [[source, '--dtype', 'q8', '--output', ''], /It should be the path of a folder/],
        [['--dtype', 'q8', '--output', output], /model/],
        [[source, '--dtype', 'q8', '--output', join(source, 'config.json')], /cannot write .*config\.json/],
      ]
      for (const [args, message] of cases) {
        const { code, out, err } = await cli(['quantize', ...args])
        assert.deepEqual([code, out], [2, ''], args.join(' '))
        assert.match(err, message)
        assert.equal(existsSync(output), false)
      }
    }))

  it('an abort leaves nothing, and an older model whole', () =>
    inFolder(async (folder) => {
      const source = await sourceIn(folder)
      const output = join(folder, 'out')
      const abortHalfway = () => {
        const controller = new AbortController()
        const onProgress = ({ done, total }: { done: number; total: number }) => {
          if (done > total / 2) controller.abort(new Error('enough'))
        }
        return { signal: controller.signal, onProgress }
      }
      await assert.rejects(quantizeFolder(source, output, { dtype: 'q8', ...abortHalfway() }), /enough/)
      assert.equal(existsSync(output), false)
      await quantizeFolder(source, output, { dtype: 'q8' })
      const before = readFileSync(join(output, 'model.safetensors'))
      await assert.rejects(quantizeFolder(source, output, { dtype: 'q12', force: true, ...abortHalfway() }), /enough/)
      assert.deepEqual(readdirSync(output).sort(), names)
      assert.deepEqual(readFileSync(join(output, 'model.safetensors')), before)
    }))
})
