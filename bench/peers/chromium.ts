import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { describeAdapter } from '../../runtime/webgpu/open.ts'
import type { BenchCase } from '../cases.ts'
import { softwareNote } from '../software.ts'
import type { PeerPage } from './page.ts'
import { refuse, serveAnswers } from './protocol.ts'
import { serveFolders } from './serve-folders.ts'

interface Page {
  goto(url: string): Promise<unknown>
  evaluate<Argument, Result>(
    body: (argument: Argument) => Result | Promise<Result>,
    argument: Argument,
  ): Promise<Result>
}

interface Browser {
  newPage(): Promise<Page>
  version(): string
  close(): Promise<void>
}

interface Playwright {
  chromium: { launch(options: object): Promise<Browser>; executablePath(): string }
}

/** Arguments: ours or onnx, dtype, the model's folder, this program's folder, those of onnxruntime-web and playwright-core. */
const [which, dtype, model, stage, ort, playwright] = process.argv.slice(2) as [
  ...['ours' | 'onnx', string, string, string, string, string],
]

const common = ['--no-sandbox', '--disable-dev-shm-usage', '--disable-background-networking', '--enable-unsafe-webgpu']
const onGpu = ['--enable-features=Vulkan', '--use-angle=vulkan', '--disable-vulkan-surface', '--ignore-gpu-blocklist']
const onProcessor = ['--use-webgpu-adapter=swiftshader']

/** Of the page: what is evaluated runs there. */
declare const peerPage: PeerPage

try {
  const { chromium } = createRequire(import.meta.url)(playwright) as Playwright
  const url = await serveFolders({ model, graphs: stage, page: stage, ort: join(ort, 'dist') })
  const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome', chromium.executablePath()]
  const executablePath = process.env.CHROMIUM ?? places.find((path) => path && existsSync(path))
  if (!executablePath) throw new Error('there is no Chromium: install one, or set CHROMIUM to its path')

  const open = async (flags: readonly string[]) => {
    const browser = await chromium.launch({ executablePath, headless: true, args: [...common, ...flags] })
    const page = await browser.newPage()
    await page.goto(`${url}/page/page.html`)
    const found = await page.evaluate(() => peerPage.adapter(), undefined)
    return { browser, page, adapter: found && describeAdapter(found as GPUAdapterInfo) }
  }
  let opened = await open(onGpu).catch(() => undefined)
  if (!opened?.adapter || opened.adapter.traits.software) {
    await opened?.browser.close()
    opened = await open(onProcessor)
  }
  const { browser, page, adapter } = opened
  if (!adapter) throw new Error('Chromium finds no WebGPU adapter here')
  const title = await page.evaluate(([which, dtype]) => peerPage.start(which, dtype), [which, dtype] as const)
  const where = adapter.traits.software ? `${adapter.adapter}: ${softwareNote}` : adapter.adapter
  serveAnswers<BenchCase>(`${title}, Chromium ${browser.version()}, ${where}`, (item, rows) =>
    page.evaluate(([item, rows]) => peerPage.ask(item, rows), [item, rows] as const),
  )
} catch (error) {
  refuse(error)
}
