import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict'
import { load } from '../../../index.ts'
import { settledLocks, settledWorkers, strict, withPage } from './pages.ts'

const notIsolated = /one thread: this page is not cross-origin isolated: serve it with the headers/
const text = 'a red circle above a blue star'

describe('threads in a page', () => {
  let expected: number[]
  before(async () => {
    using clip = await load(undefined, { threads: 1 })
    expected = [...(await clip.encodeText(text)).data]
  })

  interface Case {
    readonly title: string
    readonly file?: string
    readonly csp?: string
    /** The script of the `workers` option. */
    readonly worker?: string
    readonly kinds?: readonly WorkerOptions[]
    readonly threads: number
    readonly reason: RegExp
    readonly device?: string
  }
  const cases: Case[] = [
    { title: 'workers from a blob', threads: 3, reason: /^auto: the fastest device here(; no webgpu: [^;]*)?$/ },
    {
      title: 'a policy that allows workers from a blob',
      csp: `${strict}; worker-src blob:`,
      threads: 3,
      reason: /^auto: the fastest device here(; no webgpu: [^;]*)?$/,
    },
    {
      title: 'a policy that allows none from a blob: one thread',
      csp: strict,
      threads: 1,
      reason:
        /one thread: a thread ended: the browser refused a worker from a blob .*"worker-src blob:".*pass `workers`/,
    },
    {
      title: 'such a policy, and workers from bareclip/worker',
      csp: strict,
      worker: '/dist/worker.js',
      kinds: [{ type: 'module' }, { type: 'classic' }],
      threads: 3,
      reason: /^auto: the fastest device here(; no webgpu: [^;]*)?$/,
    },
    {
      title: 'workers from a file that is not there: one thread',
      csp: strict,
      worker: '/dist/no-such-worker.js',
      threads: 1,
      reason: /one thread: a thread ended: the worker that `workers` made ended or could not be loaded/,
    },
    {
      title: 'no SharedArrayBuffer: one thread',
      file: 'no-shared-memory.html',
      threads: 1,
      reason: /one thread: there is no SharedArrayBuffer here/,
    },
  ]
  for (const { title, file = 'package.html', csp, worker, kinds = [{}], threads, reason } of cases) {
    it(title, async () => {
      for (const kind of kinds) {
        await withPage(file, csp, async ({ window, bareclip }) => {
          const workers = worker === undefined ? undefined : () => new window.Worker(worker, kind)
          using clip = await bareclip.load(undefined, { threads: 3, workers })
          equal(clip.info.device, 'wasm')
          equal(clip.info.threads, crossOriginIsolated ? threads : 1, clip.info.reason)
          match(clip.info.reason, crossOriginIsolated ? reason : notIsolated)
          deepEqual([...(await clip.encodeText(text)).data], expected)
        })
      }
    })
  }

  it('a policy that forbids WebAssembly: the reference device', async () => {
    await withPage('package.html', "default-src 'self'", async ({ bareclip }) => {
      using clip = await bareclip.load()
      equal(clip.info.device, 'reference')
      match(clip.info.reason, /wasm does not work here: .*the WebAssembly kernels cannot be compiled here/)
      ok((await clip.encodeText(text)).data.every((value, i) => Math.abs(value - expected[i]!) < 1e-5))
      await rejects(bareclip.load(undefined, { device: 'wasm' }), { code: 'DEVICE_UNAVAILABLE' })
    })
  })

  it('as many as there are cores, unless told otherwise', async () => {
    using clip = await load()
    equal(clip.info.threads, crossOriginIsolated ? Math.min(64, navigator.hardwareConcurrency) : 1)
  })

  it('end on dispose, idle or not', async () => {
    const before = await settledWorkers(0)
    equal(before, 0)
    const threads = crossOriginIsolated ? 3 : 0
    const idle = await load(undefined, { threads: 3 })
    const busy = await load(undefined, { threads: 3 })
    await idle.encodeText(text)
    equal(await settledWorkers(2 * threads), 2 * threads)
    const run = rejects(busy.encodeText(Array.from({ length: 3000 }, () => text)), { code: 'DISPOSED' })
    setTimeout(() => busy.dispose(), 50)
    await run
    equal(await settledWorkers(threads), threads)
    idle.dispose()
    equal(await settledWorkers(0), 0)
  })

  it('a frame that goes takes its workers with it', async () => {
    await withPage('package.html', undefined, async ({ bareclip }) => {
      await bareclip.load(undefined, { threads: 3 })
      const threads = crossOriginIsolated ? 3 : 0
      equal(await settledWorkers(threads), threads)
    })
    equal(await settledWorkers(0), 0)
  })

  for (const threads of [1, 2]) {
    it(`the page goes on while a long text is computed: asked for ${threads}`, async () => {
      using clip = await load(undefined, { threads })
      const tokens = Array.from({ length: 3000 }, (_, i) => 5 + (i % 90))
      let beats = 0
      let frames = 0
      let longest = 0
      let last = performance.now()
      const timer = setInterval(() => {
        const now = performance.now()
        longest = Math.max(longest, now - last)
        last = now
        beats++
      }, 4)
      let drawing = true
      const draw = () => {
        frames++
        if (drawing) requestAnimationFrame(draw)
      }
      requestAnimationFrame(draw)
      const start = performance.now()
      try {
        await clip.encodeText({ tokens })
      } finally {
        clearInterval(timer)
        drawing = false
      }
      const took = performance.now() - start
      // In slices of 20 ms a second of work leaves room for tens of beats; a blocked page has none.
      ok(beats > 5 && frames > 1, `${beats} beats and ${frames} frames in ${took} ms`)
      ok(longest < took / 2, `nothing for ${longest} of ${took} ms`)
    })
  }
})

describe('inside a dedicated worker', () => {
  /** keep: the model is not disposed. */
  const ask = async (csp: string | undefined, options: object, keep?: () => Promise<void>) => {
    const script = `/bundles/clip-worker.js${csp === undefined ? '' : `?csp=${encodeURIComponent(csp)}`}`
    const worker = new Worker(script, { type: 'module' })
    try {
      const answer = await new Promise<{
        data: Float32Array
        info: { threads: number; reason: string }
        error?: string
      }>((resolve, reject) => {
        worker.addEventListener('message', ({ data }) => resolve(data))
        worker.addEventListener('error', ({ message }) => reject(new Error(message || 'the worker did not load')))
        worker.postMessage({ text, options, keep: keep !== undefined })
      })
      await keep?.()
      return answer
    } finally {
      worker.terminate()
    }
  }

  for (const [title, csp] of [
    ['the package works, with threads of its own', undefined],
    ['and under a policy without blobs, with one', strict],
  ] as const) {
    it(title, async () => {
      using clip = await load(undefined, { threads: 1 })
      const expected = await clip.encodeText(text)
      const { data, info, error } = await ask(csp, { threads: 2 })
      equal(error, undefined)
      equal(info.threads, crossOriginIsolated && csp === undefined ? 2 : 1, info.reason)
      if (!crossOriginIsolated) match(info.reason, notIsolated)
      else if (csp !== undefined) match(info.reason, /refused a worker from a blob/)
      deepEqual([...data], [...expected.data])
    })
  }

  it('one that is terminated takes its threads with it', async () => {
    const threads = crossOriginIsolated ? 2 : 0
    await ask(undefined, { threads: 2 }, async () => equal(await settledLocks(threads), threads))
    equal(await settledLocks(0), 0)
  })
})
