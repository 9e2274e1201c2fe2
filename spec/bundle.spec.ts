import { ok } from 'node:assert/strict'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

/** 100 KiB: what the README promises a page, kernels of all devices included. */
const most = 102_400

describe('a page that imports load', () => {
  it(`takes at most ${most} bytes of it, gzipped`, async () => {
    const { outputFiles } = await build({
      stdin: {
        contents: "export { load } from './index.ts'",
        resolveDir: fileURLToPath(new URL('..', import.meta.url)),
      },
      ...{ bundle: true, minify: true, write: false },
      ...{ format: 'esm', platform: 'browser', target: 'es2022' },
    })
    const { contents } = outputFiles[0]!
    const size = gzipSync(contents, { level: 9 }).length
    ok(size <= most, `${size} bytes`)
    ok(size > most / 2, `${size} bytes: is everything in it?`)
  })
})
