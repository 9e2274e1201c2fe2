// Runs the core specs under every runtime that is installed here: `npm install` in this folder, then `npm test`.
// Arguments name runtimes (node22, node24, deno, bun, chromium, chromium-isolated) to run only those.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const root = join(here, '../..')
const modules = join(here, 'node_modules')
const exe = process.platform === 'win32' ? '.exe' : ''
const mocha = join(root, 'node_modules/mocha/bin/mocha.js')

const specs = [mocha, '--config', join(here, 'mocharc.json')]
/** What they test is plain JavaScript: in V8 Node 20 and the plain page run them. */
const plain = ['spec/loaders/{tokenizer,safetensors}/**', 'spec/clip/quantize*.spec.ts']
const inV8 = [...specs, ...plain.flatMap((files) => ['--ignore', files])]
const page = join(here, 'browser/run.mjs')

// WebGPU is tested in Node 20 (npm test: Dawn on lavapipe, and its null backend), here in Deno (wgpu on lavapipe) and in the
// plain page of Chromium (Dawn on SwiftShader). The other runtimes would load the same Dawn once more.
// Kernels on one thread of wasm are those of the threads: Node 20 and the plain page run them.
// Bun has another engine than the rest; in V8 the reference device, which is plain JavaScript, was tested by Node 20.
const wasm = { BARECLIP_DEVICES: 'wasm', BARECLIP_THREADS: 'only' }
/** As spec/webgpu.ts has it for Node; of what is not about shaders Node 20 has tested enough. */
const wasmAndShaders = {
  ...wasm,
  BARECLIP_DEVICES: 'wasm,webgpu',
  BARECLIP_WEBGPU: 'rungs',
  MESA_SHADER_CACHE_DIR: join(root, '.cache/mesa'),
  GALLIVM_PERF: 'nopt',
}
const withoutWebgpu = { BARECLIP_DEVICES: 'reference,wasm' }

// Deno and Bun read TypeScript themselves, Node through tsx. For a page the specs are bundled.
const runtimes = {
  // those that take longest come first
  chromium: { command: process.execPath, args: [page, 'plain'] },
  bun: {
    command: join(modules, '.bin/bun'),
    args: ['--bun', 'run', '--preload', join(here, 'stay.mjs'), ...specs],
    env: withoutWebgpu,
  },
  deno: {
    command: join(modules, '.bin/deno'),
    args: ['run', '--allow-all', '--no-lock', '--node-modules-dir=manual', ...inV8],
    env: wasmAndShaders,
  },
  'chromium-isolated': { command: process.execPath, args: [page, 'isolated'] },
  node22: { command: join(modules, 'node22/bin/node') + exe, args: ['--import', 'tsx', ...inV8], env: wasm },
  node24: { command: join(modules, 'node24/bin/node') + exe, args: ['--import', 'tsx', ...inV8], env: wasm },
}
const asked = process.argv.slice(2)
// Node 22 lies between 20 and 24: run by name.
const names = asked.length > 0 ? asked : Object.keys(runtimes).filter((name) => name !== 'node22')

/** Two at a time where there are two cores: most of a run keeps one of them busy. What a runtime prints comes when it is done. */
const lanes = Math.min(2, availableParallelism())
const queue = [...names]
let failed = false

async function lane() {
  for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
    const { command, args, env } = runtimes[name]
    if (!existsSync(command)) {
      const how = `${name} is not installed: run npm install in spec/runtimes`
      if (process.env.CI) {
        console.error(how)
        failed = true
      } else console.log(`- skipped: ${how}`)
      continue
    }
    const start = Date.now()
    const child = spawn(command, args, { cwd: root, env: { ...env, ...process.env, NODE_OPTIONS: '' } })
    const output = []
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (piece) => output.push(piece))
    const status = await new Promise((resolve, reject) => {
      child.on('error', reject)
      child.on('close', resolve)
    })
    const text = String(Buffer.concat(output))
    process.stdout.write(`\n=== ${name}, ${Math.round((Date.now() - start) / 1000)} s\n${text}`)
    const ended = /\b[1-9]\d* passing\b/.test(text)
    if (!ended) console.error(`${name} ended, with ${status}, before its tests did`)
    if (status !== 0 || !ended) failed = true
  }
}

await Promise.all(Array.from({ length: lanes }, lane))
process.exitCode = failed ? 1 : 0
