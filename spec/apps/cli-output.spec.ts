import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import fc from 'fast-check'
import { createMessages, oneLine } from '../../apps/cli/messages.ts'
import { createAtomicFile } from '../../apps/cli/output/atomic-file.ts'
import { floatText, floatTexts, shortNumber } from '../../apps/cli/output/float-text.ts'
import { npyHeader } from '../../apps/cli/output/npy.ts'
import { matrixWriter } from '../../apps/cli/output/rows.ts'
import { embeddingsHeader, safetensorsHeader } from '../../apps/cli/output/safetensors-header.ts'
import { openSafetensors } from '../../loaders/safetensors/safetensors.ts'
import { openSource } from '../../loaders/source.ts'
import { BareclipError } from '../../runtime/errors.ts'
import { inFolder } from './cli-run.ts'

/** Digits without sign, point, zeros in front and exponent. */
const digits = (text: string) =>
  text.replace(/e.*/, '').replace(/[-.]/g, '').replace(/^0+/, '').replace(/0+$/, '').length

/** The slow way: the first rounding that gives the float back. */
function shortestByTrying(x: number): string {
  for (let precision = 1; precision <= 9; precision++) {
    if (Math.fround(Number(x.toPrecision(precision))) === x) return String(Number(x.toPrecision(precision)))
  }
  throw new Error('nine digits are enough')
}

describe('cli/output/float-text', () => {
  const cases: readonly [number, string][] = [
    [0, '0'],
    [-0, '-0'],
    [1, '1'],
    [-1, '-1'],
    [0.1, '0.1'],
    [-0.3, '-0.3'],
    [1 / 3, '0.33333334'],
    [2 ** -10, '0.0009765625'],
    [1e-7, '0.0000001'],
    [0.99999994, '0.99999994'],
    [16777216, '16777216'],
    [1.401298464324817e-45, '1e-45'],
    [3.4028234663852886e38, '3.4028235e+38'],
    [2 ** 87, '1.5474251e+26'], // rounded to nearest, 8 digits miss it
    [Number.NaN, 'null'],
    [Number.POSITIVE_INFINITY, 'null'],
    [Number.NEGATIVE_INFINITY, 'null'],
  ]
  for (const [value, text] of cases) {
    it(`prints ${Object.is(value, -0) ? '-0' : value} as ${text}`, () => {
      assert.equal(floatText(Math.fround(value)), text)
    })
  }

  const finite = fc.float({ noNaN: true, noDefaultInfinity: true })
  const common = fc.float({ min: -1, max: 1, noNaN: true })
  for (const [name, floats] of [
    ['any float', finite],
    ['floats between -1 and 1', common],
  ] as const) {
    it(`gives the same bits back with the fewest digits: ${name}`, () => {
      fc.assert(
        fc.property(floats, (x) => {
          const text = floatText(x)
          assert.ok(Object.is(Math.fround(JSON.parse(text)), x), text)
          assert.ok(digits(text) <= digits(shortestByTrying(x)), text)
        }),
        { numRuns: 3000 },
      )
    })
  }

  it('holds for all powers of two and their neighbours, where floats lie unevenly', () => {
    const bits = new Uint32Array(1)
    const float = new Float32Array(bits.buffer)
    for (let exponent = 0; exponent < 255; exponent++) {
      for (const step of [-1, 0, 1]) {
        bits[0] = Math.max(0, (exponent << 23) + step)
        const x = float[0]!
        const text = floatText(x)
        assert.ok(Object.is(Math.fround(JSON.parse(text)), x), text)
        assert.ok(digits(text) <= digits(shortestByTrying(x)), text)
      }
    }
  })

  it('joins a vector and shortens a number', () => {
    assert.equal(floatTexts(Float32Array.of(0.1, -0.25, Number.NaN, 0)), '0.1,-0.25,null,0')
    assert.equal(floatTexts(new Float32Array(0)), '')
    assert.equal(shortNumber(0.1 + 0.2), 0.3)
    assert.ok(Number.isNaN(shortNumber(Number.NaN)))
  })
})

describe('cli/output/npy and safetensors-header', () => {
  it('npy: magic, version 1.0, a header that ends at a multiple of 64 with a line break', () => {
    for (const [rows, dimensions] of [
      [0, 768],
      [3, 1],
      [2 ** 40, 2 ** 20],
    ] as const) {
      const bytes = npyHeader(rows, dimensions)
      assert.deepEqual([...bytes.subarray(0, 8)], [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0])
      assert.equal(bytes.length, 128)
      assert.equal(new DataView(bytes.buffer).getUint16(8, true), 118)
      const text = new TextDecoder().decode(bytes.subarray(10))
      assert.match(text, /^\{'descr': '<f4', 'fortran_order': False, 'shape': \(\d+, \d+\), \} *\n$/)
      assert.ok(text.includes(`(${rows}, ${dimensions})`))
    }
  })

  it('safetensors: readable by the loader, at one length for any number of rows', async () => {
    assert.equal(embeddingsHeader(2 ** 42, 2 ** 9).length, embeddingsHeader(0, 1).length)
    for (const rows of [0, 1, 5]) {
      const header = embeddingsHeader(rows, 4)
      const file = new Uint8Array(header.length + rows * 16)
      file.set(header)
      const { tensors } = await openSafetensors(await openSource(file))
      assert.deepEqual(tensors.get('embeddings')?.shape, [rows, 4])
    }
  })

  it('safetensors: keeps room where fewer tensors come than planned, and odd names', async () => {
    const all = ['a', 'b"\\\n', '__proto__', 'é'].map((name) => ({ name, shape: [3, 2] }))
    const room = safetensorsHeader(all).length
    const header = safetensorsHeader(all.slice(1), room)
    assert.equal(header.length, room)
    const file = new Uint8Array(room + 3 * 24)
    file.set(header)
    const { tensors } = await openSafetensors(await openSource(file))
    assert.deepEqual([...tensors.keys()], ['b"\\\n', '__proto__', 'é'])
  })
})

describe('cli/output/atomic-file', () => {
  it('appears whole, over an old file, keeping its mode', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'a.npy')
      writeFileSync(path, 'old', { mode: 0o600 })
      const file = await createAtomicFile(path)
      await file.write(Uint8Array.of(3, 4), 2)
      await file.write(Uint8Array.of(1, 2), 0)
      assert.equal(readFileSync(path, 'utf8'), 'old')
      await file.commit()
      await file.discard()
      assert.deepEqual([...readFileSync(path)], [1, 2, 3, 4])
      assert.equal(statSync(path).mode & 0o777, 0o600)
      assert.deepEqual(readdirSync(folder), ['a.npy'])
    }))

  it('leaves nothing when discarded', () =>
    inFolder(async (folder) => {
      const file = await createAtomicFile(join(folder, 'a.npy'))
      await file.write(Uint8Array.of(1), 0)
      await file.discard()
      await file.discard()
      assert.deepEqual(readdirSync(folder), [])
    }))

  it('writes through a link, which stays', () =>
    inFolder(async (folder) => {
      mkdirSync(join(folder, 'real'))
      writeFileSync(join(folder, 'real', 'a.npy'), 'old')
      symlinkSync(join(folder, 'real', 'a.npy'), join(folder, 'link.npy'))
      const file = await createAtomicFile(join(folder, 'link.npy'))
      await file.write(Uint8Array.of(65), 0)
      await file.commit()
      assert.equal(readFileSync(join(folder, 'real', 'a.npy'), 'utf8'), 'A')
      assert.deepEqual(readdirSync(folder).sort(), ['link.npy', 'real'])
      assert.deepEqual(readdirSync(join(folder, 'real')), ['a.npy'])
    }))

  it('refuses what cannot be a file, at once', () =>
    inFolder(async (folder) => {
      writeFileSync(join(folder, 'file'), '')
      mkdirSync(join(folder, 'dir.npy'))
      const cases: [string, RegExp][] = [
        [join(folder, 'nowhere', 'a.npy'), /^cannot write .*a\.npy: no such folder: .*nowhere$/],
        [join(folder, 'file', 'a.npy'), /^cannot write .*ENOTDIR/],
        [join(folder, 'dir.npy'), /there is a folder of that name$/],
      ]
      if (existsSync('/dev/full')) {
        symlinkSync('/dev/full', join(folder, 'full.npy'))
        cases.push([join(folder, 'full.npy'), /there is a device of that name$/])
      }
      for (const [path, message] of cases) {
        await assert.rejects(createAtomicFile(path), { code: 'WRITE_FAILED', message })
      }
      assert.ok(!readdirSync(folder).some((name) => name.endsWith('.tmp')))
    }))
})

describe('cli/output/rows', () => {
  it('writes rows as they come, a failed one as NaN, and the header last', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'a.npy')
      const file = await createAtomicFile(path)
      const writer = matrixWriter(file, 2, npyHeader)
      const usage = { tokens: 1, truncated: false }
      await writer.write([
        { index: 0, vector: Float32Array.of(1, 2), usage },
        { index: 1, error: new BareclipError('INVALID_INPUT', 'bad') },
      ])
      await writer.write([])
      await writer.write([{ index: 2, vector: Float32Array.of(3, 4), usage }])
      await writer.finish()
      await file.commit()
      const bytes = readFileSync(path)
      assert.ok(bytes.subarray(0, 128).toString('latin1').includes("'shape': (3, 2)"))
      const floats = Array.from({ length: 6 }, (_, i) => bytes.readFloatLE(128 + 4 * i))
      assert.deepEqual(floats, [1, 2, Number.NaN, Number.NaN, 3, 4])
      assert.equal(bytes.length, 128 + 24)
    }))
})

describe('cli/messages', () => {
  function messages(isTTY: boolean) {
    let text = ''
    const stderr = new Writable({
      write(chunk, _, done) {
        text += chunk
        done()
      },
    })
    return { ...createMessages(Object.assign(stderr, { isTTY })), text: () => text }
  }

  it('says one line each, whatever is in it', () => {
    const { say, text } = messages(false)
    say('two\nlines\r\n\u001b[2J\u2028end\n')
    assert.equal(text(), 'bareclip: two lines [2J end\n')
    assert.equal(oneLine(' a\tb '), 'a b')
  })

  it('shows progress on a terminal only, and takes it away', () => {
    const file = messages(false)
    file.progress('1 item')
    file.clear()
    assert.equal(file.text(), '')
    const terminal = messages(true)
    terminal.progress('1 item')
    assert.match(terminal.text(), /1 item$/)
    terminal.say('done')
    assert.ok(terminal.text().endsWith('\r\u001b[Kbareclip: done\n'))
  })
})
