import assert from 'node:assert/strict'
import { request } from 'node:http'
import { Writable } from 'node:stream'
import { browserName } from '../../bench/browser/machine.ts'
import { type BenchServer, serveBench } from '../../bench/browser/server.ts'
import { readReports } from '../../bench/report/read.ts'
import { cli } from '../apps/cli-run.ts'
import { type Browser, launchChromium, type Page } from '../chromium.ts'

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: string
}

/** path as it is: `fetch` would tidy it. */
const ask = (url: string, path: string, { method = 'GET', host }: { method?: string; host?: string } = {}) =>
  new Promise<Answer>((resolve, reject) => {
    const { hostname, port } = new URL(url)
    const headers = host === undefined ? {} : { host }
    request({ hostname, port, path, method, headers, agent: false }, (response) => {
      let body = ''
      response.on('data', (part) => {
        body += part
      })
      response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, body }))
    })
      .on('error', reject)
      .end()
  })

describe('the server of bareclip bench --browser', () => {
  let server: BenchServer
  before(async () => {
    server = await serveBench({ port: 0, version: '1.2.3"><script>' })
  })
  after(() => server.close())

  it('serves the page to this machine, isolated, with what it may load spelled out', async () => {
    assert.match(server.url, /^http:\/\/127\.0\.0\.1:\d+\/$/)
    const { status, headers, body } = await ask(server.url, '/')
    assert.equal(status, 200)
    assert.equal(headers['cross-origin-opener-policy'], 'same-origin')
    assert.equal(headers['cross-origin-embedder-policy'], 'require-corp')
    assert.match(String(headers['content-security-policy']), /^default-src 'none';/)
    assert.match(body, /<meta name="bareclip-version" content="1\.2\.3script">/)
    const script = await ask(server.url, '/page.js?x')
    assert.equal(script.status, 200)
    assert.match(String(script.headers['content-type']), /^text\/javascript/)
    assert.ok(!/\bfrom\s*["']node:|require\(["']node:/.test(script.body))
    assert.equal((await ask(server.url, '/', { method: 'HEAD' })).body, '')
  })

  for (const [title, path, options, status] of [
    ['another path', '/favicon.ico', {}, 404],
    ['a path that climbs', '/../../package.json', {}, 404],
    ['another method', '/', { method: 'POST' }, 405],
    ['a name that someone points here', '/', { host: 'bench.example' }, 403],
    ['one that only begins like ours', '/', { host: '127.0.0.1.example' }, 403],
  ] as const) {
    it(`refuses ${title}`, async () => {
      assert.equal((await ask(server.url, path, options)).status, status)
    })
  }

  it('says that a port is taken', async () => {
    const { port } = new URL(server.url)
    await assert.rejects(serveBench({ port: Number(port), version: '' }), {
      code: 'INVALID_ARGUMENT',
      message: /^cannot listen on port \d+ of 127\.0\.0\.1: .*EADDRINUSE.*; without --port a free one is taken$/,
    })
  })
})

describe('bareclip bench --browser', () => {
  it('prints the address, serves until it is stopped, and then no more', async () => {
    const controller = new AbortController()
    let url = ''
    const stdout = new Writable({
      write(chunk, _, done) {
        url += chunk
        done()
        ask(url.trim(), '/').then(({ status }) => controller.abort(new Error(`${status}`)))
      },
    })
    const { code, err } = await cli(['bench', '--browser'], { signal: controller.signal, stdout })
    assert.equal(controller.signal.reason.message, '200')
    assert.equal(code, 2)
    assert.equal(err, 'bareclip: open this address in a browser of this machine; Ctrl-C ends\n')
    await assert.rejects(ask(url.trim(), '/'), { code: 'ECONNREFUSED' })
  })

  for (const [args, message] of [
    [['--browser', '--port', '65536'], /integer from 0 to 65535/],
    [['--browser', 'kernel'], /unknown command 'kernel'/],
    [['kernel'], /unknown command 'kernel'/],
    [['--port', '1'], /^Usage: bareclip bench/],
  ] as const) {
    it(`refuses bench ${args.join(' ')}`, async () => {
      const { code, out, err } = await cli(['bench', ...args])
      assert.deepEqual([code, out], [2, ''])
      assert.match(err, message)
    })
  }
})

const isRatioOfSmallNumbers = (ratio: number) =>
  Array.from({ length: 64 }, (_, i) => ratio * (i + 1)).some((value) => Math.abs(value - Math.round(value)) < 1e-6)

describe('names of browsers', () => {
  for (const [userAgent, name] of [
    [
      'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36',
      'Chrome 156.0.0.0',
    ],
    [
      'Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36 Edg/156.0.1.0',
      'Edge 156.0.1.0',
    ],
    [
      'Mozilla/5.0 (Macintosh; Intel Mac OS X 15_0) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 Safari/605.1.15',
      'Safari 26.1',
    ],
    ['Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0', 'Firefox 150.0'],
    ['something else', 'something else'],
  ] as const) {
    it(name, () => assert.equal(browserName(userAgent), name))
  }
})

describe('the page of bareclip bench --browser, in Chromium', () => {
  let server: BenchServer
  let browser: Browser | undefined
  let page: Page
  const complaints: string[] = []
  const requested: string[] = []

  before(async function () {
    this.timeout(60_000)
    const found = await launchChromium()
    if ('missing' in found) {
      if (process.env.CI) throw new Error(found.missing)
      this.test!.title += `: skipped, ${found.missing}`
      this.skip()
    }
    browser = found.browser
    server = await serveBench({ port: 0, version: '1.2.3' })
    const context = await browser.newContext({ permissions: ['clipboard-read', 'clipboard-write'] })
    page = await context.newPage()
    page.on('pageerror', (error) => complaints.push(String(error)))
    page.on('console', (message) => complaints.push(message.text()))
    page.on('request', (request) => requested.push(request.url()))
    await page.goto(server.url)
    await page.waitForFunction(() => !(document.getElementById('run') as HTMLButtonElement).disabled, null, {
      timeout: 30_000,
    })
  })
  after(async () => {
    await browser?.close()
    await server?.close()
  })

  it('says where it runs, and that this adapter is the processor', async () => {
    assert.equal(await page.evaluate(() => crossOriginIsolated), true)
    const here = (await page.textContent('#here'))!
    assert.match(here, /threads with shared memory/)
    assert.match(here, /swiftshader/i)
    assert.match(here, /SOFTWARE ADAPTER/)
    const limits = await page.evaluate(() => document.getElementById('limits')!.textContent)
    assert.match(limits!, /maxStorageBufferBindingSize: \d+/)
  })

  it('runs one operation on both devices, and copies a report that can be drawn', async function () {
    this.timeout(150_000)
    await page.evaluate(
      (chosen) => {
        for (const box of document.querySelectorAll<HTMLInputElement>('fieldset input'))
          box.checked = chosen.includes(box.value)
      },
      ['wasm', 'webgpu', 'l2-normalize', 'f32'],
    )
    await page.click('#run')
    await page.waitForFunction(() => !(document.getElementById('run') as HTMLButtonElement).disabled, null, {
      timeout: 140_000,
    })
    assert.match((await page.textContent('#status'))!, /^Done: \d+ kernels, all agree with the reference\.$/)
    await page.click('#copy')
    await page.waitForFunction(() => document.getElementById('status')!.textContent!.startsWith('Copied'), null, {
      timeout: 10_000,
    })
    const text = await page.evaluate(() => navigator.clipboard.readText())
    const { kernels } = readReports([{ name: 'browser.json', text }])
    const { report } = kernels[0]!
    assert.deepEqual([...new Set(report.kernels.map(({ device }) => device))], ['wasm', 'webgpu'])
    assert.match(report.machine.runtime, /^Chrome.* \d+/)
    assert.deepEqual(report.machine.versions, [['bareclip', '1.2.3']])
    assert.ok(report.roofs.length >= 4)
    const spreads = report.kernels.flatMap((kernel) => ('ms' in kernel ? [kernel.ms] : []))
    assert.ok(
      spreads.some(({ least, most }) => !isRatioOfSmallNumbers(most / least)),
      'a clock of whole milliseconds',
    )
    const rows = await page.evaluate(() => document.querySelectorAll('#rows tr').length)
    assert.equal(rows, report.kernels.length)
  })

  it('asks for something impossible in words', async () => {
    await page.evaluate(() => {
      for (const box of document.querySelectorAll<HTMLInputElement>('#devices input')) box.checked = false
    })
    await page.click('#run')
    await page.waitForFunction(() => document.getElementById('status')!.className === 'failed', null, {
      timeout: 10_000,
    })
    assert.match((await page.textContent('#status'))!, /choose at least one device/)
  })

  it('complains of nothing and loads nothing from elsewhere', () => {
    assert.deepEqual(complaints, [])
    assert.deepEqual(
      requested.filter((url) => !url.startsWith(server.url) && !url.startsWith('blob:')),
      [],
    )
  })
})
