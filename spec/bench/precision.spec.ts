import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { synthModel } from '../../apps/synth/checkpoint.ts'
import { agreementOf } from '../../bench/precision/agreement.ts'
import { captions, drawings, mostItems } from '../../bench/precision/items.ts'
import { loadFloat64 } from '../../bench/precision/truth.ts'
import { cli, fixtures, inFolder } from '../apps/cli-run.ts'
import { readGolden } from '../clip/golden-clip.ts'

/** Beyond what rounding the golden value to float32 makes. */
function assertFloat64(found: Float64Array, golden: ArrayLike<number>, label: string): void {
  assert.equal(found.length, golden.length)
  found.forEach((value, i) => {
    const rounding = 2 ** (Math.floor(Math.log2(Math.abs(golden[i]!))) - 24)
    assert.ok(Math.abs(value - golden[i]!) <= rounding + 1e-9, `${label}, ${i}: ${value}, golden ${golden[i]}`)
  })
}

describe('bench: float64', () => {
  for (const folder of ['tiny-e2e', 'tiny-e2e-outliers']) {
    it(`gives the goldens of ${folder} to 1e-9, alone and in a batch`, async () => {
      const { config, weights } = synthModel({ size: 'tiny-e2e', outliers: folder.endsWith('outliers') })
      const tokenizer = JSON.parse(readFileSync(join(fixtures, 'tokenizer/tokenizer.json'), 'utf8'))
      const model = await loadFloat64({ config: config as Record<string, unknown>, tokenizer, weights })
      const { inputs, outputs, crops } = readGolden(folder)
      const golden = (name: string, i: number) => {
        const { values, shape } = outputs.get(name)!
        return values.subarray(i * shape[1]!, (i + 1) * shape[1]!)
      }
      for (const [i, { text, max_length: maxTokens, label }] of inputs.texts.entries()) {
        const [row] = await model.texts([text], maxTokens)
        assertFloat64(row!, golden('text.embedding', i), label)
      }
      const short = inputs.texts.map((item, i) => ({ ...item, i })).filter((item) => item.max_length === 512)
      const rows = await model.texts(
        short.map(({ text }) => text),
        512,
      )
      rows.forEach((row, r) => {
        assertFloat64(row, golden('text.embedding', short[r]!.i), `${short[r]!.label}, in a batch`)
      })
      const images = await model.images(crops)
      images.forEach((row, i) => {
        assertFloat64(row, golden('vision.embedding', i), inputs.images[i]!)
      })
      model.dispose()
    })
  }
})

describe('bench: agreement', () => {
  const at = (degrees: number) =>
    Float64Array.of(Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180))
  const truth = [0, 10, 25, 90].map(at)

  it('is complete with itself', () => {
    const { items, largest, cosine, top1, top10 } = agreementOf(truth, truth)
    assert.deepEqual([items, largest, top1, top10], [4, 0, 1, 1])
    assert.ok(Math.abs(cosine - 1) < 1e-15)
  })

  it('counts the nearest that changed', () => {
    // the item at 10° is now nearer to the one at 25° than to the one at 0°: one of four
    assert.equal(agreementOf([0, 14, 25, 90].map(at), truth).top1, 0.75)
  })

  it('counts ten of the others, whatever their order', () => {
    const many = Array.from({ length: 24 }, (_, i) => at(i * i * 0.2))
    const moved = many.map((row, i) => (i === 0 ? at(23 * 23 * 0.2 + 20) : row))
    const { top10 } = agreementOf(moved, many)
    // the first item has none of its ten left; those that had it among theirs have nine
    const others = many.map((_, i) => i).filter((i) => i > 0)
    const had = others.filter((i) => {
      const distance = (j: number) => Math.abs(j * j - i * i)
      return others.filter((j) => j !== i && distance(j) < distance(0)).length < 10
    })
    const gained = others.filter((i) => {
      const distance = (j: number) => Math.abs((j === 0 ? 23 * 23 + 100 : j * j) - i * i)
      return others.filter((j) => j !== i && distance(j) < distance(0)).length < 10
    })
    assert.ok(had.every((i) => !gained.includes(i)))
    assert.ok(had.length > 5)
    // angles stay below 180°, so nearer in angle is nearer in cosine; whoever gained the first one lost another
    assert.ok(Math.abs(top10 - (24 - 1 - (had.length + gained.length) * 0.1) / 24) < 1e-12)
  })

  it('tells the largest difference and the lowest cosine', () => {
    const found = truth.map((row, i) => (i === 2 ? Float64Array.of(row[0]! + 0.25, row[1]!) : row))
    const { largest, cosine } = agreementOf(found, truth)
    assert.ok(Math.abs(largest - 0.25) < 1e-12 && cosine < 1 && cosine > 0.95)
  })

  it('NaN is no agreement', () => {
    const { largest, cosine } = agreementOf([Float64Array.of(Number.NaN, 0), ...truth.slice(1)], truth)
    assert.ok(Number.isNaN(largest) && Number.isNaN(cosine))
  })

  it('wants as many rows, at least two', () => {
    assert.throws(() => agreementOf(truth.slice(1), truth), RangeError)
    assert.throws(() => agreementOf([truth[0]!], [truth[0]!]), RangeError)
  })
})

describe('bench: items to rank', () => {
  it('no two are alike, and they do not depend on how many there are', () => {
    const texts = captions(mostItems)
    assert.equal(new Set(texts).size, mostItems)
    assert.deepEqual(captions(20), texts.slice(0, 20))
    const pictures = drawings(200, 16)
    assert.equal(new Set(pictures.map(({ data }) => (data as Uint8Array).join())).size, 200)
    assert.deepEqual(drawings(3, 16), pictures.slice(0, 3))
  })
})

describe('bareclip bench precision', () => {
  const small = ['bench', 'precision', '--devices', 'wasm', '--threads', '1', '--texts', '14', '--images', '3']

  it('prints a row per tower, device and dtype; --json has the same; --truth is taken up again', () =>
    inFolder(async (folder) => {
      const [json, truth] = [join(folder, 'a.json'), join(folder, 'truth.json')]
      const args = [...small, '--dtypes', 'f32,q8', '--truth', truth]
      const first = await cli([...args, '--json', json])
      assert.deepEqual([first.code, first.err], [0, ''])
      assert.match(first.out, /^\| weights +\| tower +\| device +\|.*\n\|[-|]+\|\n(\| shapes +\|.*\n){4}$/)
      const { schema, rows, settings, machine, date, missing } = JSON.parse(readFileSync(json, 'utf8'))
      assert.equal(schema, 'bareclip-bench-precision-1')
      assert.ok(machine.processor && !Number.isNaN(Date.parse(date)))
      assert.deepEqual(settings, { devices: ['wasm'], dtypes: ['f32', 'q8'], texts: 14, images: 3, threads: 1 })
      assert.deepEqual(missing, [])
      for (const [i, [dtype, tower, items]] of [
        ['f32', 'text', 14],
        ['f32', 'image', 3],
        ['q8', 'text', 14],
        ['q8', 'image', 3],
      ].entries()) {
        const { largest, cosine, top1, top10, ...rest } = rows[i]
        assert.deepEqual(rest, { device: 'wasm', dtype, weights: 'shapes', tower, items })
        assert.ok(dtype === 'f32' ? largest < 2e-6 : largest > 1e-5 && largest < 1e-2)
        assert.ok(cosine > 0.999 && top1 > 0.6 && top10 > 0.9 && top10 <= 1)
      }
      const made = readFileSync(truth, 'utf8')
      assert.equal((await cli(args)).out, first.out)
      assert.equal(readFileSync(truth, 'utf8'), made)

      const more = await cli([...small.slice(0, -4), '--texts', '15', '--images', '3', '--truth', truth])
      assert.equal(more.code, 2)
      assert.match(more.err, /truth\.json: it holds 14 texts and 3 images; remove it, or name another\n$/)
      writeFileSync(truth, made.replace(/"weights":"../, '"weights":"zz'))
      assert.match((await cli(args)).err, /truth\.json: made from other weights/)
      for (const text of ['{}', 'null', 'no JSON']) {
        writeFileSync(truth, text)
        assert.match((await cli(args)).err, /truth\.json: no file that --truth wrote/)
      }
    }))

  it('notes what a model cannot be loaded as, and goes on', () =>
    inFolder(async (folder) => {
      const model = join(folder, 'q8')
      assert.equal(
        (await cli(['quantize', join(fixtures, '../../shapes'), '--dtype', 'q8', '--output', model])).code,
        0,
      )
      const { code, out } = await cli([...small, '--dtypes', 'q12,q8', '--model', model])
      assert.equal(code, 0)
      assert.match(out, /\| q8 +\| 14 +\|/)
      assert.match(out, /^wasm \(q12\) is missing: .* is stored as q8 and cannot be loaded as q12: /m)

      const nothing = await cli([...small, '--dtypes', 'q12', '--model', model])
      assert.deepEqual([nothing.code, nothing.out], [2, ''])
      assert.match(nothing.err, /nothing to compare: .* is stored as q8 and cannot be loaded as q12/)
    }))

  for (const [args, message] of [
    [['--devices', 'cpu'], /Allowed are reference, wasm, webgpu/],
    [['--dtypes', 'f32,f64'], /Allowed are f32, f16, q12, q8/],
    [['--texts', '1'], /integer from 2/],
    [['--images', '961'], /There are 960 at most/],
    [['--model', '/no/such/folder'], /\/no\/such\/folder/],
    [['--truth', '/no/such/folder/a.json'], /cannot write .*no such folder/],
  ] as const) {
    it(`refuses ${args.join(' ')}`, async () => {
      const { code, out, err } = await cli(['bench', 'precision', ...args])
      assert.deepEqual([code, out], [2, ''])
      assert.match(err, message)
    })
  }
})
