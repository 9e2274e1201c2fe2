import type * as Bareclip from '../../../index.ts'

declare global {
  /** Given by run.mjs: workers of this page and of its frames. */
  function workersOfPage(): Promise<number>
}

/** A page in a frame. pages/package.js gives it the built package. */
export interface Page {
  readonly bareclip: typeof Bareclip
  readonly window: Window & typeof globalThis
}

/** What a strict site sends: nothing from a blob, no eval. */
export const strict = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'"

/** file: of pages/. csp: the Content-Security-Policy it is sent with. */
export async function withPage(
  file: string,
  csp: string | undefined,
  use: (page: Page) => Promise<void>,
): Promise<void> {
  const frame = document.createElement('iframe')
  frame.src = `/spec/runtimes/browser/pages/${file}${csp === undefined ? '' : `?csp=${encodeURIComponent(csp)}`}`
  const loaded = new Promise((resolve) => frame.addEventListener('load', resolve))
  document.body.append(frame)
  try {
    await loaded
    const window = frame.contentWindow as Window & typeof globalThis & { bareclip?: typeof Bareclip }
    if (!window?.bareclip) throw new Error(`${frame.src} could not load the package`)
    await use({ window, bareclip: window.bareclip })
  } finally {
    frame.remove()
  }
}

/** The number of workers once it is `wanted`, or what it remains. */
export const settledWorkers = (wanted: number): Promise<number> => settled(wanted, workersOfPage)

/**
 * The same for the Web Locks that threads hold as long as they live: those of workers in workers too, whose end the browser's
 * debugger does not always tell.
 */
export const settledLocks = (wanted: number): Promise<number> =>
  settled(wanted, async () => {
    const { held = [] } = await navigator.locks.query()
    return held.filter(({ name }) => name?.startsWith('bareclip-')).length
  })

async function settled(wanted: number, count: () => Promise<number>): Promise<number> {
  for (let i = 0; i < 300 && (await count()) !== wanted; i++) await new Promise((go) => setTimeout(go, 100))
  return count()
}
