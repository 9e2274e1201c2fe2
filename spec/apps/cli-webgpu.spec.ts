import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import process from 'node:process'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { present } from '../devices.ts'
import { driverSettings } from '../webgpu.ts'
import { inFolder, ndjson, parseLines, root } from './cli-run.ts'

const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href
const main = join(root, 'apps/cli/main.ts')
const globally = resolve(dirname(process.execPath), '../lib/node_modules/webgpu')
const dawnOptions = ['enable-dawn-features=allow_unsafe_apis', 'disable-dawn-features=timestamp_quantization']

function embed(cwd: string, device: string) {
  const args = ['--import', tsx, main, 'embed', '--device', device]
  const env = { ...process.env, ...driverSettings(), DAWN_OPTS: dawnOptions.join(';') }
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    ...{ cwd, env, encoding: 'utf8', input: ndjson({ text: 'a red circle' }) },
  })
  return { code: status, rows: parseLines(stdout), err: stderr }
}

/** A folder with a package `webgpu` of this content. */
const withPackage = (content: string, test: (folder: string) => void) =>
  inFolder((folder) => {
    const own = join(folder, 'node_modules/webgpu')
    mkdirSync(own, { recursive: true })
    writeFileSync(join(own, 'package.json'), '{ "name": "webgpu", "type": "module", "main": "index.js" }')
    writeFileSync(join(own, 'index.js'), content)
    test(folder)
  })

describe('bareclip --device webgpu', () => {
  before(function () {
    if (existsSync(globally) || (globalThis as { navigator?: { gpu?: GPU } }).navigator?.gpu) this.skip()
  })

  it('says how to install the package that it needs', () =>
    inFolder((folder) => {
      const { code, rows, err } = embed(folder, 'webgpu')
      assert.deepEqual([code, rows], [2, []])
      assert.match(
        err,
        /^bareclip: the webgpu device does not work here: the package webgpu is not installed; `npm install webgpu` /,
      )
    }))

  it('takes the package of the working folder, with the options of DAWN_OPTS, if the device is asked for by name only', () =>
    withPackage(
      "console.error('here'); export const create = (options) => (console.error(...options), { requestAdapter: async () => null })",
      (folder) => {
        const named = embed(folder, 'webgpu')
        assert.equal(named.code, 2)
        assert.match(
          named.err,
          /^here\nenable-dawn-features=allow_unsafe_apis disable-dawn-features=timestamp_quantization\nbareclip: the webgpu device does not work here: WebGPU finds no adapter here/,
        )
        const auto = embed(folder, 'auto')
        assert.deepEqual([auto.code, auto.err, auto.rows.length], [0, '', 1])
      },
    ))

  it('says why the package does not work', () =>
    withPackage("throw new Error('no such platform')", (folder) => {
      const { code, err } = embed(folder, 'webgpu')
      assert.equal(code, 2)
      assert.match(err, /the package webgpu at .* does not work here: no such platform/)
    }))

  it('embeds with the real package, as another device does', function () {
    if (!present.some(({ device }) => device === 'webgpu')) this.skip()
    const folder = fileURLToPath(new URL('../runtimes/', import.meta.url))
    const { code, rows, err } = embed(folder, 'webgpu')
    assert.equal(code, 0, err)
    const expected = embed(folder, 'wasm').rows[0]!.embedding
    assert.ok(rows[0]!.embedding.every((value, i) => Math.abs(value - expected[i]!) < 2e-6))
  })
})
