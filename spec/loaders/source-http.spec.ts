import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { load } from '../../index.ts'
import { openSource, readAll } from '../../loaders/source.ts'
import { behaves, data, large, slice } from './source-behaviour.ts'

describe('openSource over HTTP', () => {
  interface Asked {
    readonly method: string
    readonly range: [number, number] | undefined
  }
  type Answer = (asked: Asked, response: ServerResponse, count: number) => void

  let answer: Answer
  let asked: Asked[] = []
  const server = createServer((request: IncomingMessage, response) => {
    const match = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '')
    const one: Asked = { method: request.method!, range: match ? [Number(match[1]), Number(match[2]) + 1] : undefined }
    asked.push(one)
    answer(one, response, asked.length)
  })
  let origin: string
  before(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  after(() => {
    server.closeAllConnections()
    server.close()
  })

  /** The URL of a file that is served so, and its name in messages. */
  function served(by: Answer): { url: string; name: string } {
    answer = by
    asked = []
    return { url: `${origin}/models/weights.bin?token=secret#x`, name: `${origin}/models/weights.bin` }
  }

  const ranges =
    (file: Uint8Array, headers: (range: string, total: number) => Record<string, string> = standard): Answer =>
    ({ method, range }, response) => {
      if (!range) {
        response.writeHead(200, { 'content-length': file.length })
        response.end(method === 'HEAD' ? undefined : file)
        return
      }
      const [begin, end] = [range[0], Math.min(range[1], file.length)]
      if (begin >= file.length) response.writeHead(416, { 'content-range': `bytes */${file.length}` }).end()
      else response.writeHead(206, headers(`${begin}-${end - 1}`, file.length)).end(file.subarray(begin, end))
    }
  const standard = (range: string, total: number): Record<string, string> => ({
    'content-range': `bytes ${range}/${total}`,
  })

  it('reads ranges', async () => {
    const { url, name } = served(ranges(data))
    for (const input of [url, new URL(url)]) {
      const source = await openSource(input)
      assert.equal(source.name, name)
      await behaves(source)
      await source.close()
    }
  })

  it('a model’s folder: every file is asked for with the query, which is in no message', async () => {
    const shapes = new URL('../../shapes/', import.meta.url)
    const asked = new Set<string>()
    const folders = createServer((request, response) => {
      const { pathname, search } = new URL(request.url!, origin)
      asked.add(search)
      if (pathname.startsWith('/shapes/'))
        response.end(readFileSync(new URL(pathname.slice('/shapes/'.length), shapes)))
      else response.writeHead(404).end()
    })
    await new Promise<void>((resolve) => folders.listen(0, '127.0.0.1', resolve))
    try {
      const at = `http://127.0.0.1:${(folders.address() as AddressInfo).port}`
      using clip = await load()
      const expected = await clip.encodeText('a red circle')
      for (const folder of [`${at}/shapes?token=secret`, new URL(`${at}/shapes/?token=secret`)]) {
        using other = await load(folder)
        assert.deepEqual((await other.encodeText('a red circle')).data, expected.data)
      }
      assert.deepEqual([...asked], ['?token=secret'])
      await assert.rejects(load(`${at}/none?token=secret`), (error: Error) =>
        error.message.startsWith(`no model at ${at}/none: expected a folder`),
      )
    } finally {
      folders.closeAllConnections()
      folders.close()
    }
  })

  it('asks for what it needs, small neighbours together, and never for the whole file', async () => {
    const { url } = served(ranges(large))
    const source = await openSource(url)
    assert.equal(source.size, large.length)
    assert.deepEqual(await slice(source, 1000, 50), [...large.subarray(1000, 1050)])
    assert.equal(asked.length, 1, 'the first answer holds the header')
    assert.deepEqual(await slice(source, 300_000, 10), [...large.subarray(300_000, 300_010)])
    assert.deepEqual(await slice(source, 300_010, 1000), [...large.subarray(300_010, 301_010)])
    assert.deepEqual(await slice(source, 500_000, 1000), [...large.subarray(500_000, 501_000)])
    assert.equal(asked.length, 2)
    assert.deepEqual(await slice(source, 10, 650_000), [...large.subarray(10, 650_010)])
    assert.deepEqual(await slice(source, 699_990, 10), [...large.subarray(699_990)])
    assert.deepEqual(
      asked.map(({ range }) => range),
      [
        [0, 262_144],
        [300_000, 562_144],
        [10, 650_010],
        [699_990, 700_000],
      ],
    )
  })

  it('keeps the one download of a server that ignores ranges', async () => {
    const { url } = served((_, response) => {
      response.writeHead(200, { 'content-length': data.length }).end(data)
    })
    const source = await openSource(url)
    await behaves(source)
    assert.equal(asked.length, 1)
  })

  it('takes a whole file of unknown length', async () => {
    const { url } = served((_, response) => {
      response.writeHead(200)
      for (let at = 0; at < data.length; at += 100) response.write(data.subarray(at, at + 100))
      response.end()
    })
    await behaves(await openSource(url))
  })

  it('asks for all of a file that is only there compressed, and keeps it', async () => {
    const zipped = gzipSync(new Uint8Array(50_000))
    for (const ignoresRanges of [true, false]) {
      const { url } = served(({ range }, response) => {
        const partial =
          range && !ignoresRanges ? { 'content-range': `bytes 0-${zipped.length - 1}/${zipped.length}` } : {}
        const headers = { 'content-encoding': 'gzip', 'content-length': zipped.length, ...partial }
        response.writeHead('content-range' in partial ? 206 : 200, headers).end(zipped)
      })
      const source = await openSource(url)
      assert.equal(source.size, 50_000)
      assert.deepEqual(await readAll(source), new Uint8Array(50_000))
      assert.deepEqual(
        asked.map(({ range }) => range !== undefined),
        [true, false],
      )
    }
    const { url } = served(({ range }, response) => {
      response.writeHead(range ? 206 : 404, { 'content-encoding': 'gzip' }).end()
    })
    await assert.rejects(openSource(url), { code: 'MODEL_NOT_FOUND' })
  })

  it('asks HEAD for the size where Content-Range hides it', async () => {
    for (const headers of [
      () => ({}), // as CORS shows it where it is not exposed
      (range: string) => ({ 'content-range': `bytes ${range}/*` }),
    ]) {
      const { url } = served(ranges(large, headers))
      const source = await openSource(url)
      assert.equal(source.size, large.length)
      assert.deepEqual(await slice(source, 600_000, 5), [...large.subarray(600_000, 600_005)])
      assert.deepEqual(
        asked.map(({ method }) => method),
        ['GET', 'HEAD', 'GET'],
      )
    }
  })

  it('needs no HEAD where a short first answer shows the end', async () => {
    const { url } = served(ranges(data, () => ({})))
    await behaves(await openSource(url))
    assert.equal(asked.length, 1)
  })

  it('opens empty files', async () => {
    const empty = new Uint8Array(0)
    for (const how of [ranges(empty), ((_, response) => response.writeHead(200).end()) as Answer]) {
      const source = await openSource(served(how).url)
      assert.equal(source.size, 0)
      assert.equal((await readAll(source)).length, 0)
    }
  })

  it('follows redirects', async () => {
    const { url, name } = served(({ method, range }, response, count) => {
      if (count === 1) response.writeHead(302, { location: `${origin}/elsewhere` }).end()
      else ranges(data)({ method, range }, response, count)
    })
    const source = await openSource(url)
    assert.equal(source.name, name)
    await behaves(source)
  })

  describe('refuses', () => {
    const partial =
      (status: number, headers: Record<string, string>, body: Uint8Array = data): Answer =>
      (_, response) => {
        response.writeHead(status, headers).end(body)
      }
    const whole = { 'content-range': 'bytes 0-999/1000' }
    // biome-ignore format: a table
    const cases: ReadonlyArray<readonly [string, Answer, string, string | RegExp]> = [
      ['404', partial(404, {}), 'MODEL_NOT_FOUND', ' answered 404: no such file'],
      ['401', partial(401, {}), 'READ_FAILED', ' answered 401 Unauthorized'],
      ['403', partial(403, {}), 'READ_FAILED', ' answered 403 Forbidden'],
      ['500', partial(500, {}), 'READ_FAILED', ' answered 500 Internal Server Error'],
      ['204', partial(204, {}), 'READ_FAILED', ' answered 204 No Content'],
      ['416 for a file that is not empty', partial(416, { 'content-range': 'bytes */77' }), 'READ_FAILED', ' answered 416 Range Not Satisfiable'],
      ['a body shorter than the range', partial(206, whole, data.subarray(1)), 'READ_FAILED', ': expected an answer of 1000 bytes, got 999'],
      ['a body longer than the range', partial(206, whole, large), 'READ_FAILED', /: expected an answer of 1000 bytes, got \d+ or more$/],
      ['no body', partial(206, whole, new Uint8Array(0)), 'READ_FAILED', ': expected an answer of 1000 bytes, got 0'],
      ['another unit', partial(206, { 'content-range': 'rows 0-9/10' }), 'READ_FAILED', ': asked for bytes 0 to 262143, the server sent rows 0-9/10'],
      ['several ranges', partial(206, { 'content-type': 'multipart/byteranges; boundary=x', 'content-range': 'x' }), 'READ_FAILED', ': asked for bytes 0 to 262143, the server sent x'],
      ['more than was asked for', partial(206, { 'content-range': 'bytes 0-699999/700000' }, large), 'READ_FAILED', ': asked for bytes 0 to 262143, the server sent bytes 0-699999/700000'],
      ['less than was asked for', partial(206, { 'content-range': 'bytes 0-999/700000' }), 'READ_FAILED', ': asked for bytes 0 to 262143, the server sent bytes 0-999/700000'],
      ['everything as a range that it does not name', partial(206, {}, large), 'READ_FAILED', /: expected an answer of 262144 bytes, got \d+ or more$/],
      ['another place', partial(206, { 'content-range': 'bytes 5-1004/2000' }), 'READ_FAILED', ': asked for bytes 0 to 262143, the server sent bytes 5-1004/2000'],
    ]
    for (const [what, how, code, message] of cases) {
      it(what, async () => {
        const { url, name } = served(how)
        await assert.rejects(openSource(url), (error: Error & { code?: string }) => {
          assert.equal(error.name, 'BareclipError')
          assert.equal(error.code, code)
          assert.ok(error.message.startsWith(name), error.message)
          if (typeof message === 'string') assert.equal(error.message.slice(name.length), message)
          else assert.match(error.message, message)
          return true
        })
      })
    }

    it('a server that tells no size', async () => {
      const { url } = served(({ method, range }, response) => {
        if (method === 'HEAD') response.writeHead(405).end()
        else response.writeHead(206).end(large.subarray(...range!))
      })
      await assert.rejects(openSource(url), {
        code: 'READ_FAILED',
        message: /tells no size: .*Access-Control-Expose-Headers/,
      })
    })

    it('a connection that is refused', async () => {
      await assert.rejects(openSource('http://127.0.0.1:1/x?token=secret'), (error: Error & { code?: string }) => {
        assert.equal(error.code, 'READ_FAILED')
        assert.match(error.message, /^cannot fetch http:\/\/127\.0\.0\.1:1\/x: /)
        assert.doesNotMatch(error.message, /secret/)
        assert.ok(error.cause instanceof Error)
        return true
      })
    })

    it('an answer that breaks off', async () => {
      for (const status of [200, 206]) {
        const { url } = served((_, response) => {
          response.writeHead(status, { 'content-length': 1000, 'content-range': 'bytes 0-999/1000' })
          response.write(data.subarray(0, 100), () => response.destroy())
        })
        await assert.rejects(openSource(url), (error: Error & { code?: string }) => {
          assert.equal(error.code, 'READ_FAILED')
          assert.match(error.message, /weights\.bin: the answer broke off: /)
          assert.doesNotMatch(error.message, /secret/)
          return true
        })
      }
    })

    it('a file that changes between two reads', async () => {
      const etag = (tag: string) => (range: string, total: number) => ({ ...standard(range, total), etag: tag })
      const changes: ReadonlyArray<readonly [Answer, Answer]> = [
        [ranges(large), ranges(large.subarray(1))],
        [ranges(large), ranges(data)],
        [ranges(large), ({ method }, response, count) => ranges(large)({ method, range: undefined }, response, count)],
        [ranges(large, etag('"a"')), ranges(large, etag('"b"'))],
      ]
      for (const [before, after] of changes) {
        const { url, name } = served(before)
        const source = await openSource(url)
        answer = after
        await assert.rejects(source.read(500_000, 10), {
          code: 'READ_FAILED',
          message: `${name} changed while it was read: load it again`,
        })
      }
    })

    it('a range that comes compressed later', async () => {
      const { url, name } = served(ranges(large))
      const source = await openSource(url)
      answer = ranges(large, (range, total) => ({ ...standard(range, total), 'content-encoding': 'br' }))
      await assert.rejects(source.read(500_000, 10), {
        code: 'READ_FAILED',
        message: `${name}: asked for bytes 500000 to 699999, the server sent them compressed`,
      })
    })

    it('a file that is gone, but not for good', async () => {
      const { url } = served(ranges(large))
      const source = await openSource(url)
      answer = (_, response) => response.writeHead(404).end()
      await assert.rejects(source.read(500_000, 10), { code: 'MODEL_NOT_FOUND' })
      answer = (_, response) => response.writeHead(503).end()
      await assert.rejects(source.read(500_000, 10), {
        code: 'READ_FAILED',
        message: /answered 503 Service Unavailable$/,
      })
      answer = ranges(large)
      assert.deepEqual(await slice(source, 500_000, 10), [...large.subarray(500_000, 500_010)])
    })

    it('but no weak ETag that differs', async () => {
      let tag = 0
      const { url } = served((one, response, count) =>
        ranges(large, (range, total) => ({ ...standard(range, total), etag: `W/"${tag++}"` }))(one, response, count),
      )
      const source = await openSource(url)
      assert.deepEqual(await slice(source, 500_000, 10), [...large.subarray(500_000, 500_010)])
    })
  })

  describe('abort', () => {
    const reason = new Error('enough')
    const hang: Answer = () => {}
    const stall: Answer = (_, response) => {
      response.writeHead(206, { 'content-range': 'bytes 0-999/1000', 'content-length': 1000 })
      response.write(data.subarray(0, 10))
    }

    for (const [when, how] of [
      ['before the answer', hang],
      ['within the answer', stall],
    ] as const) {
      it(`${when}, while opening`, async () => {
        const { url } = served(how)
        const controller = new AbortController()
        setTimeout(() => controller.abort(reason), 50)
        await assert.rejects(openSource(url, { signal: controller.signal }), reason)
      })
    }

    it('before the first answer about a model', async () => {
      const { url } = served(hang)
      const controller = new AbortController()
      setTimeout(() => controller.abort(reason), 50)
      await assert.rejects(load(url, { signal: controller.signal }), reason)
    })

    it('while reading, and the source stays usable', async () => {
      const { url } = served(ranges(large))
      const source = await openSource(url)
      answer = hang
      const controller = new AbortController()
      setTimeout(() => controller.abort(reason), 50)
      await assert.rejects(source.read(500_000, 10, controller.signal), reason)
      answer = ranges(large)
      assert.deepEqual(await slice(source, 500_000, 10), [...large.subarray(500_000, 500_010)])
    })
  })
})
