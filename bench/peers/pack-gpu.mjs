// node bench/peers/pack-gpu.mjs [FOLDER]: everything that on-gpu.sh measures with, but Node and Dawn, in FOLDER/bench.tar.xz
// (default .gpubox), for a machine without network and npm. About 9 MB.
// Before it: npm run build; npm install --ignore-scripts --prefix bench/peers
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const here = (path) => fileURLToPath(new URL(path, import.meta.url))
const target = resolve(process.argv[2] ?? here('../../.gpubox'))
const folder = mkdtempSync(join(tmpdir(), 'bareclip-gpu-'))
try {
  const entries = { main: here('../../apps/bench/main.ts'), ours: here('ours.ts'), onnx: here('onnx.ts') }
  await build({
    ...{ entryPoints: entries, outdir: folder, outExtension: { '.js': '.mjs' }, logLevel: 'warning' },
    ...{ bundle: true, format: 'esm', platform: 'node', target: 'node20', external: ['esbuild', 'onnxruntime-web'] },
    banner: { js: "import { createRequire as r } from 'node:module'; const require = r(import.meta.url);" }, // commander
  })
  cpSync(here('graphs'), join(folder, 'graphs'), { recursive: true })
  const dist = here('../../dist')
  if (!existsSync(join(dist, 'apps/cli/main.js'))) throw new Error('dist is not built: npm run build')
  cpSync(dist, join(folder, 'dist'), { recursive: true })
  cpSync(here('../../node_modules/commander'), join(folder, 'node_modules/commander'), { recursive: true })
  const needed = /^(package\.json|ort\.webgpu\.bundle\.min\.mjs|ort-wasm-simd-threaded\.asyncify\.(wasm|mjs))$/
  const ort = join(folder, 'node_modules/onnxruntime-web')
  for (const part of ['', 'dist']) {
    mkdirSync(join(ort, part), { recursive: true })
    for (const name of readdirSync(here(`node_modules/onnxruntime-web/${part}`))) {
      if (needed.test(name)) cpSync(here(`node_modules/onnxruntime-web/${part}/${name}`), join(ort, part, name))
    }
  }
  mkdirSync(target, { recursive: true })
  execFileSync('tar', ['-cJf', join(target, 'bench.tar.xz'), '-C', folder, '.'])
  console.log(`${join(target, 'bench.tar.xz')}: ${execFileSync('du', ['-h', join(target, 'bench.tar.xz')])}`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
