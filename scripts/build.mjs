// Compiles the package into dist/, which is what is published: its package.json is made from ours, so that `#platform` means
// the compiled files there and the sources here. Skips all work when nothing is newer than the last build.
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const dist = join(root, 'dist')
const stamp = join(dist, '.built')
const sources = [
  'index.ts',
  'clip',
  'models',
  'kernels',
  'runtime',
  'loaders',
  'platform',
  'apps',
  'bench',
  'shapes',
  'scripts',
  'package.json',
  'tsconfig.json',
  'tsconfig.build.json',
]

function newest(path) {
  const stat = statSync(path)
  if (!stat.isDirectory()) return stat.mtimeMs
  const names = readdirSync(path).filter((name) => name !== 'node_modules')
  return names.reduce((latest, name) => Math.max(latest, newest(join(path, name))), stat.mtimeMs)
}

if (existsSync(stamp) && sources.every((source) => newest(join(root, source)) <= statSync(stamp).mtimeMs))
  process.exit(0)

await import('./build-wasm.mjs')
await import('./build-wgsl.mjs')
rmSync(dist, { recursive: true, force: true })
const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc')
const { status } = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' })
if (status !== 0) process.exit(status ?? 1)

mkdirSync(dist, { recursive: true })
await import('./build-worker.mjs')
await import('./build-vendor.mjs')
await import('./build-browser.mjs')
cpSync(join(root, 'shapes'), join(dist, 'shapes'), { recursive: true })
cpSync(join(root, 'apps/synth/tokenizer.json'), join(dist, 'apps/synth/tokenizer.json'))
for (const name of ['README.md', 'LICENSE']) cpSync(join(root, name), join(dist, name))
const {
  scripts,
  devDependencies,
  private: _,
  files,
  ...manifest
} = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const published = JSON.stringify(manifest, null, 2)
  .replaceAll('"./dist/', '"./')
  .replaceAll(/(?<!\.d)\.ts"/g, '.js"')
writeFileSync(join(dist, 'package.json'), `${published}\n`)
chmodSync(join(dist, 'apps/cli/main.js'), 0o755)
writeFileSync(stamp, '')
