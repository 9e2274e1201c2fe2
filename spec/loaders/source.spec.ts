import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { runInNewContext } from 'node:vm'
import { openSource, readExactly, type SourceInput } from '../../loaders/source.ts'
import { behaves, data } from './source-behaviour.ts'

describe('openSource', () => {
  let folder: string
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'bareclip-source-'))
    writeFileSync(join(folder, 'data bin#1'), data)
  })
  after(() => rmSync(folder, { recursive: true }))

  describe('in memory', () => {
    const room = new Uint8Array(1200)
    room.set(data, 101)
    // biome-ignore format: a table
    const cases: ReadonlyArray<readonly [string, string, () => SourceInput]> = [
      ['a Uint8Array', 'bytes', () => data],
      ['a view into a larger buffer', 'bytes', () => room.subarray(101, 1101)],
      ['a Buffer', 'bytes', () => Buffer.from(data)],
      ['an ArrayBuffer', 'bytes', () => data.slice().buffer],
      ['an ArrayBuffer of another realm', 'bytes', () => runInNewContext('Uint8Array.from(data).buffer', { data: [...data] })],
      ['a Blob', 'a Blob', () => new Blob([data.subarray(0, 400), data.subarray(400)])],
      ['a File', 'weights.bin', () => new File([data], 'weights.bin')],
    ]
    for (const [what, name, input] of cases) {
      it(what, async () => {
        const source = await openSource(input())
        assert.equal(source.name, name)
        await behaves(source)
        await source.close()
      })
    }

    it('bytes are not copied', async () => {
      const source = await openSource(data)
      assert.equal((await source.read(10, 5)).buffer, data.buffer)
    })

    it('says so when a buffer was transferred away', async () => {
      const source = await openSource(structuredClone(data))
      const bytes = data.slice()
      const gone = await openSource(bytes)
      structuredClone(bytes.buffer, { transfer: [bytes.buffer] })
      await assert.rejects(gone.read(0, 5), {
        code: 'READ_FAILED',
        message: 'bytes: the buffer was transferred or resized',
      })
      await behaves(source)
    })

    it('hands a ByteSource through', async () => {
      const source = await openSource(data)
      assert.equal(await openSource(source), source)
    })
  })

  describe('on disk', () => {
    it('a path', async () => {
      const path = join(folder, 'data bin#1')
      const source = await openSource(path)
      assert.equal(source.name, path)
      await behaves(source)
      await source.close()
    })

    it('a file: URL', async () => {
      const source = await openSource(pathToFileURL(join(folder, 'data bin#1')))
      await behaves(source)
      await source.close()
    })

    it('a missing file, a folder', async () => {
      const missing = join(folder, 'none')
      await assert.rejects(openSource(missing), { code: 'MODEL_NOT_FOUND', message: `no such file: ${missing}` })
      await assert.rejects(openSource(folder), {
        code: 'READ_FAILED',
        message: `expected a file, found a folder: ${folder}`,
      })
    })

    it('a file that is cut while it is open', async () => {
      const path = join(folder, 'cut')
      writeFileSync(path, data)
      const source = await openSource(path)
      truncateSync(path, 100)
      await assert.rejects(readExactly(source, 90, 20), {
        code: 'READ_FAILED',
        message: /expected 20 bytes at 90, got 10/,
      })
      await source.close()
    })
  })

  it('refuses anything else', async () => {
    const cases: ReadonlyArray<readonly [unknown, string]> = [
      [undefined, 'undefined'],
      [null, 'null'],
      [5, '5'],
      ['', '""'],
      [{}, 'an object (Object)'],
      [{ size: 3 }, 'an object (Object)'],
      [new Float32Array(2), 'an object (Float32Array)'],
      [[1, 2], 'an array of 2'],
    ]
    for (const [input, got] of cases) {
      await assert.rejects(openSource(input as SourceInput), {
        name: 'BareclipError',
        code: 'INVALID_ARGUMENT',
        message: `expected a path, a URL, a Blob, an ArrayBuffer, a Uint8Array or a ByteSource, got ${got}`,
      })
    }
  })

  it('refuses URLs that it cannot read, without their secrets in the message', async () => {
    await assert.rejects(openSource('http://'), { code: 'INVALID_ARGUMENT', message: 'expected a URL, got "http://"' })
    await assert.rejects(openSource(new URL('ftp://host/x')), { code: 'INVALID_ARGUMENT', message: /got ftp:$/ })
    await assert.rejects(openSource('https://user:secret@host/x'), (error: Error & { code?: string }) => {
      assert.equal(error.code, 'INVALID_ARGUMENT')
      assert.match(error.message, /without user name and password, got one for host/)
      assert.doesNotMatch(error.message, /secret/)
      return true
    })
    await assert.rejects(openSource(new URL('file:///a%2Fb')), {
      code: 'INVALID_ARGUMENT',
      message: /no path for file:/,
    })
  })

  it('rejects with the reason when aborted before it begins', async () => {
    const reason = new Error('enough')
    for (const input of [data, new Blob([data]), join(folder, 'none'), 'http://127.0.0.1:1/x']) {
      await assert.rejects(openSource(input, { signal: AbortSignal.abort(reason) }), reason)
    }
  })

  it('reads data: and blob: URLs', async () => {
    await behaves(
      await openSource(new URL(`data:application/octet-stream;base64,${Buffer.from(data).toString('base64')}`)),
    )
    const url = URL.createObjectURL(new Blob([data]))
    await behaves(await openSource(new URL(url)))
    URL.revokeObjectURL(url)
    const expected = { code: 'READ_FAILED', message: /^cannot fetch a blob: URL: / }
    await assert.rejects(openSource(new URL(url)), expected)
  })
})
