// Runs the core specs under every runtime that is installed here: `npm install` in this folder, then `npm test`.
// Arguments name runtimes (node22, node24, deno, bun, chromium, chromium-isolated) to run only those.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const root = join(here, '../..')
const modules = join(here, 'node_modules')
const exe = process.platform === 'win32' ? '.exe' : ''
const mocha = join(root, 'node_modules/mocha/bin/mocha.js')

const specs = [mocha, '--config', join(here, 'mocharc.json')]
const page = join(here, 'browser/run.mjs')

// WebGPU is tested in Node 20 (npm test: Dawn on lavapipe, and its null backend), here in Deno (wgpu on lavapipe) and in the
// plain page of Chromium (Dawn on SwiftShader). The other runtimes would load the same Dawn once more.
const withoutWebgpu = { BARECLIP_DEVICES: 'reference,wasm' }

/** lavapipe takes seconds to compile a shader; of what is not about shaders Node 20 has tested enough. */
const shaderCache = { MESA_SHADER_CACHE_DIR: join(root, '.cache/mesa'), BARECLIP_WEBGPU: 'cases' }

// Deno and Bun read TypeScript themselves, Node through tsx. For a page the specs are bundled.
const runtimes = {
  node22: { command: join(modules, 'node22/bin/node') + exe, args: ['--import', 'tsx', ...specs], env: withoutWebgpu },
  node24: { command: join(modules, 'node24/bin/node') + exe, args: ['--import', 'tsx', ...specs], env: withoutWebgpu },
  deno: {
    command: join(modules, '.bin/deno'),
    args: ['run', '--allow-all', '--no-lock', '--node-modules-dir=manual', ...specs],
    env: shaderCache,
  },
  bun: { command: join(modules, '.bin/bun'), args: ['--bun', 'run', ...specs], env: withoutWebgpu },
  chromium: { command: process.execPath, args: [page, 'plain'] },
  'chromium-isolated': { command: process.execPath, args: [page, 'isolated'] },
}
const asked = process.argv.slice(2)
const names = asked.length > 0 ? asked : Object.keys(runtimes)
let failed = false
for (const name of names) {
  const { command, args, env } = runtimes[name]
  if (!existsSync(command)) {
    const how = `${name} is not installed: run npm install in spec/runtimes`
    if (process.env.CI) {
      console.error(how)
      failed = true
    } else console.log(`- skipped: ${how}`)
    continue
  }
  console.log(`\n=== ${name}`)
  const { status } = spawnSync(command, args, {
    cwd: root,
    stdio: 'inherit',
    env: { ...env, ...process.env, NODE_OPTIONS: '' },
  })
  if (status !== 0) failed = true
}
process.exit(failed ? 1 : 0)
