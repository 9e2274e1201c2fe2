import assert from 'node:assert/strict'
import { cpSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { benchProgram } from '../../apps/bench/program.ts'
import { commandsFor } from '../../bench/all.ts'
import { cli, fixtures, inFolder, root } from '../apps/cli-run.ts'

/** A cold start is timed there only. */
const underNode = !process.versions.deno && !process.versions.bun

describe('bareclip bench model', () => {
  it('prints stages, cases, a profile and memory; --json has the same figures', () =>
    inFolder(async (folder) => {
      const file = join(folder, 'bench.json')
      const { code, out, err } = await cli([
        'bench',
        'model',
        '--cases',
        '1x16,image-1',
        '--runs',
        '2',
        '--threads',
        '1',
        '--cold',
        '2',
        '--json',
        file,
      ])
      assert.deepEqual([code, err], [0, ''])
      assert.match(out, /^loaded in [\d.]+ ms: configuration, tokenizer [\d.]+ ms, device .* weights [\d.]+ ms$/m)
      assert.match(
        out,
        /^1x16: 1 text, 16 tokens\n {2}[\d.]+ ms \([\d.]+ … [\d.]+\), \d+ tokens\/s, [\d.]+ GFLOP\/s\n/m,
      )
      assert.match(out, /^image-1: 1 image\n {2}.* images\/s/m)
      assert.match(out, /^ {2}commands one by one +calls +ms +share +GFLOP\/s +GB\/s$/m)
      assert.match(out, /^ {2}linear +12 /m)
      assert.match(out, /^process: \d+ MiB resident, at most \d+ MiB$/m)

      const report = JSON.parse(readFileSync(file, 'utf8'))
      assert.equal(report.schema, 'bareclip-bench-model-1')
      assert.deepEqual(Object.keys(report).sort(), [
        ...[
          'cases',
          ...(underNode ? ['coldStart'] : []),
          'date',
          'device',
          'load',
          'machine',
          'memory',
          'model',
          'schema',
        ],
        'settings',
      ])
      if (underNode) {
        const { runs, first, ms } = report.coldStart
        assert.ok(runs === 2 && first.least > 0 && first.least <= first.median && ms.median >= first.median)
        assert.match(
          out,
          /^cold start: a new process has its first embedding after \d+ ms \(\d+ … \d+\) and ends after /m,
        )
      }
      assert.deepEqual(
        report.load.stages.map(({ stage }: { stage: string }) => stage),
        ['configuration, tokenizer', 'device', 'memory for weights', 'weights'],
      )
      const [text, image] = report.cases
      assert.deepEqual(Object.keys(text).sort(), [
        ...[
          'flops',
          'gflopsPerSecond',
          'images',
          'memory',
          'ms',
          'name',
          'profile',
          'texts',
          'tokens',
          'tokensPerSecond',
        ],
      ])
      assert.ok(Math.abs(text.tokensPerSecond / (16_000 / text.ms.median) - 1) < 1e-9)
      assert.ok(Math.abs(image.imagesPerSecond / (1000 / image.ms.median) - 1) < 1e-9)
      assert.ok(Math.abs(text.gflopsPerSecond / (text.flops / text.ms.median / 1e6) - 1) < 1e-9)
      const { weights, scratch, peak, rss, peakRss } = report.memory
      assert.ok(weights > 5e6 && scratch > 0 && peak >= weights + scratch && rss > weights && peakRss >= rss)
    }))

  for (const [args, message] of [
    [['--cases', 'x17'], /there is no case "x17"; there are 1x16, .*, image-8, all/],
    [['--cases', '1x16,'], /none empty/],
    [['--runs', '0'], /integer from 1/],
    [['--cold', '-1'], /integer from 0/],
    [['--threads', 'two'], /integer from 1/],
    [['--dtype', 'q4'], /q4.*f32, f16, q12, q8/],
    [['--model', '/no/such/folder'], /no\/such\/folder/],
    [['--json', '/no/such/folder/a.json'], /cannot write \/no\/such\/folder\/a\.json: no such folder/],
    [['extra'], /too many arguments/],
  ] as const) {
    it(`refuses ${args.join(' ')}`, async () => {
      const { code, out, err } = await cli(['bench', 'model', ...args])
      assert.deepEqual([code, out], [2, ''])
      assert.match(err, message)
      assert.equal(err.trimEnd().split('\n').length, 1)
    })
  }

  it('refuses an image case on a text model, and leaves no file behind', () =>
    inFolder(async (folder) => {
      const model = join(folder, 'model')
      cpSync(join(fixtures, 'golden/tiny-jinabert'), model, { recursive: true })
      cpSync(join(root, 'shapes/tokenizer.json'), join(model, 'tokenizer.json'))
      const file = join(folder, 'bench.json')
      const { code, err } = await cli(['bench', 'model', '--model', model, '--cases', 'image-1', '--json', file])
      assert.equal(code, 2)
      assert.match(err, /^bareclip: case image-1: this model has no vision tower, it embeds text only\n$/)
      assert.ok(!existsSync(file))
    }))

  it('without a name it asks for one', async () => {
    assert.equal((await cli(['bench'])).code, 2)
    assert.equal((await cli(['bench', 'kernel'])).code, 2)
  })
})

describe('npm run bench', () => {
  for (const [args, message] of [
    [['all', '/no/such/folder'], /model\.safetensors is not there/],
    [['peers'], /missing required argument 'dir'/],
    [['peers', '/no/such/folder'], /model\.safetensors is not there: bareclip synth \/no\/such\/folder --size full/],
    [['scaling', '/no/such/folder'], /is not there/],
    [['load', '/no/such/folder'], /cannot read .*bareclip synth DIR --size full/],
    [['peers', join(fixtures, 'golden/tiny-a')], /has \d+ bytes: the peers' graphs fit the 890633332/],
    [
      ['peers', 'x', '--peers', 'web-f64'],
      /Allowed are web-f32, node-f32, transformers-f32, web-q8, node-q8, transformers-q8, webgpu-f32, webgpu-f16/,
    ],
    [['peers', 'x', '--dtypes', 'f32,f64'], /Allowed are f32, f16, q12, q8/],
    [['peers', 'x', '--cases', 'x2'], /there is no case "x2"/],
    [['peers', 'x', '--rounds', '0'], /integer from 1/],
    [['load', 'x', '--threads', '-1'], /integer from 1/],
    [['peers', 'x', '--places', 'deno'], /Allowed are dawn, chromium/],
    [['parts', '--parts', 'gelu'], /Allowed are matmul, softmax, layer-norm, safetensors, jpeg, png, tokenizer/],
    [['peers', 'x', '--json', '/no/such/folder/a.json'], /cannot write \/no\/such\/folder\/a\.json/],
    [['nothing'], /unknown command/],
  ] as const) {
    it(`refuses ${args.join(' ')}`, async () => {
      const { code, out, err } = await cli(args, { create: benchProgram })
      assert.deepEqual([code, out], [2, ''])
      assert.match(err, message)
      assert.equal(err.trimEnd().split('\n').length, 1)
    })
  }

  it('has what bareclip bench has', async () => {
    const commands = async (args: readonly string[], create?: typeof benchProgram) => {
      const { out } = await cli(args, create && { create })
      const [list] = out.split('Commands:\n')[1]!.split('\n\n')
      return [...list!.matchAll(/^ {2}([a-z]+) /gm)].map(([, name]) => name!)
    }
    const [mine, packaged] = [await commands(['--help'], benchProgram), await commands(['bench', '--help'])]
    assert.deepEqual(mine.slice(0, packaged.length), packaged)
    assert.deepEqual(mine.slice(packaged.length), ['all', 'peers', 'scaling', 'parts', 'load', 'scales'])
  })

  it('all is made of commands and options that are there', async () => {
    for (const quick of [true, false]) {
      const lines = commandsFor({ dir: join(fixtures, 'golden/tiny-a'), output: 'results', quick })
      assert.deepEqual(
        lines.map(([name]) => name),
        ['kernels', 'model', 'parts', 'peers', 'load', 'report'],
      )
      for (const args of lines) {
        // an option of all that is refused only after the others are read
        const { code, err } = await cli([...args, '--no-such-option'], { create: benchProgram })
        assert.equal(code, 2)
        assert.match(err, /unknown option '--no-such-option'/)
      }
    }
  })
})
