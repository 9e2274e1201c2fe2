import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import process from 'node:process'

/** The part of playwright-core that the specs use. */
export interface Playwright {
  readonly chromium: {
    executablePath(): string
    launch(options: object): Promise<Browser>
  }
}

export interface Browser {
  newContext(options: object): Promise<{ newPage(): Promise<Page> }>
  close(): Promise<void>
}

export interface Page {
  goto(url: string): Promise<unknown>
  evaluate<T>(run: () => T): Promise<T>
  evaluate<T, A>(run: (argument: A) => T, argument: A): Promise<T>
  waitForFunction(run: () => unknown, argument: null, options: { readonly timeout: number }): Promise<unknown>
  click(selector: string): Promise<void>
  textContent(selector: string): Promise<string | null>
  on(event: 'console' | 'pageerror' | 'request', listener: (what: { text(): string; url(): string }) => void): void
}

/** With WebGPU on a software adapter, or what it takes to have one. */
export async function launchChromium(): Promise<{ readonly browser: Browser } | { readonly missing: string }> {
  let playwright: Playwright
  try {
    playwright = createRequire(new URL('./runtimes/package.json', import.meta.url))('playwright-core')
  } catch {
    return { missing: 'playwright-core is not installed: run npm install in spec/runtimes' }
  }
  const { chromium } = playwright
  const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome', chromium.executablePath()]
  const executablePath = process.env.CHROMIUM ?? places.find((path) => path && existsSync(path))
  if (!executablePath || !existsSync(executablePath)) {
    return { missing: 'there is no Chromium: install it (apt-get install chromium) or set CHROMIUM to the path of one' }
  }
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
  return { browser }
}
