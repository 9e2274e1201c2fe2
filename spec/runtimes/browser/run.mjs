// Runs the core specs in a page of Chromium: `node run.mjs isolated` with the headers that give a page shared memory, `node
// run.mjs plain` without. More arguments name spec files by parts of their paths, to run only those. SLOWEST=1 lists the
// slowest tests.

import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

const [mode, ...only] = process.argv.slice(2)
if (mode !== 'isolated' && mode !== 'plain') throw new Error('expected isolated or plain')

/**
 * webgpu, on a software adapter, and the one thread of a page run in the plain page, threads in the isolated one; the reference
 * device is left to Node, which has the same engine.
 */
const environment =
  mode === 'isolated'
    ? { BARECLIP_DEVICES: 'wasm', BARECLIP_THREADS: 'only' }
    : { BARECLIP_DEVICES: 'wasm,webgpu', BARECLIP_WEBGPU: 'cases' }
if (process.env.BARECLIP_DEVICES) environment.BARECLIP_DEVICES = process.env.BARECLIP_DEVICES
if (process.env.CI) environment.CI = process.env.CI

/** In milliseconds: longest time without a word from the page, and of everything. */
const longestSilence = 150_000
const longestRun = 900_000

function missing(how) {
  if (process.env.CI) {
    console.error(how)
    process.exit(1)
  }
  console.log(`- skipped: ${how}`)
  process.exit(0)
}

const { chromium } = await import('playwright-core').catch(() =>
  missing('playwright-core is not installed: run npm install in spec/runtimes'),
)
const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome', chromium.executablePath()]
const executablePath = process.env.CHROMIUM ?? places.find((path) => path && existsSync(path))
if (!executablePath || !existsSync(executablePath)) {
  missing('there is no Chromium: install it (apt-get install chromium) or set CHROMIUM to the path of one')
}

const root = fileURLToPath(new URL('../../../', import.meta.url))
const { status } = spawnSync(process.execPath, ['scripts/build.mjs'], { cwd: root, stdio: 'inherit' })
if (status !== 0) process.exit(1)

const { makeBundles } = await import('./bundle.mjs')
const { serve } = await import('./server.mjs')
const leftOut = JSON.parse(readFileSync(new URL('left-out.json', import.meta.url), 'utf8'))
if (mode === 'isolated') {
  const reason = 'the plain page runs it: it knows nothing of threads'
  const folders = ['spec/loaders/tokenizer/', 'spec/loaders/safetensors/']
  const files = ['spec/clip/quantize.spec.ts', 'spec/clip/quantized-files.spec.ts']
  leftOut.files.push(...[...folders, ...files].map((name) => ({ name, reason })))
}
const bundles = await makeBundles({ leftOut: leftOut.files.map(({ name }) => name), only })
const server = await serve({ isolated: mode === 'isolated', bundles })
const browser = await chromium.launch({
  executablePath,
  headless: true,
  args: [
    '--no-sandbox',
    '--disable-dev-shm-usage',
    '--disable-background-networking',
    '--enable-unsafe-webgpu', // without it there is no adapter in software
    '--use-webgpu-adapter=swiftshader',
  ],
})

const counts = { pass: 0, pending: 0, fail: 0 }
const failures = []
const passed = []
let running = 'none'
let dots = 0
const started = Date.now()

/** Resolves at the page's end, or to what went wrong with the page itself. */
const problem = await new Promise((resolve) => {
  const total = setTimeout(() => resolve(`no end after ${longestRun / 1000} s, at: ${running}`), longestRun)
  let silence
  const heard = () => {
    clearTimeout(silence)
    silence = setTimeout(() => resolve(`no word for ${longestSilence / 1000} s, at: ${running}`), longestSilence)
  }
  const over = (what) => {
    clearTimeout(silence)
    clearTimeout(total)
    resolve(what)
  }
  const report = ({ event, title, milliseconds, error }) => {
    heard()
    if (event === 'begin') running = title
    else if (event === 'end') over(undefined)
    else {
      counts[event]++
      if (event === 'pass') passed.push({ title, milliseconds })
      if (event === 'fail') failures.push({ title, error })
      process.stdout.write(`${dots++ % 80 === 0 ? '\n  ' : ''}${{ pass: '.', pending: ',', fail: '!' }[event]}`)
    }
  }
  const open = async () => {
    const page = await browser.newPage()
    page.on('crash', () => over(`the page crashed at: ${running}`))
    page.on('pageerror', (error) => {
      console.error(`\n${error.stack ?? error}`)
      if (running === 'none') over(`the specs could not be loaded: ${error}`)
    })
    page.on('close', () => over(`the page was closed at: ${running}`))
    await page.addInitScript(`globalThis.environment = ${JSON.stringify(environment)}`)
    await page.exposeFunction('report', report)
    await page.exposeFunction('workersOfPage', () => page.workers().length)
    await page.goto(`${server.origin}/spec/runtimes/browser/pages/specs.html`)
  }
  browser.on('disconnected', () => over(`the browser ended at: ${running}`))
  heard()
  open().catch((error) => over(String(error)))
})

const version = browser.version()
await browser.close().catch(() => {})
server.close()

if (problem) failures.push({ title: 'the page', error: problem })
console.log(`\n\n  ${counts.pass} passing (${Math.round((Date.now() - started) / 1000)}s), Chromium ${version}`)
if (counts.pending > 0) console.log(`  ${counts.pending} pending`)
if (failures.length > 0) console.log(`  ${failures.length} failing`)
failures.forEach(({ title, error }, i) => {
  console.log(`\n  ${i + 1}) ${title}:\n${error.replace(/^/gm, '     ')}`)
})
for (const { name, reason } of leftOut.files) console.log(`  left out: ${name} (${reason})`)
if (process.env.SLOWEST) {
  passed.sort((a, b) => b.milliseconds - a.milliseconds)
  for (const { title, milliseconds } of passed.slice(0, 40)) console.log(`  ${milliseconds} ms  ${title}`)
}
process.exit(failures.length > 0 || counts.pass === 0 ? 1 : 0)
