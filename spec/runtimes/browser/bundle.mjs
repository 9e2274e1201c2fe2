// The specs as one script for a page, and the built package as scripts for the pages and workers that they make.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const here = dirname(fileURLToPath(import.meta.url))
const root = join(here, '../../..')
const fromRoot = (path) => relative(root, path).replaceAll('\\', '/')
const standIn = (name) => join(here, 'stand-ins', name)

const small = [
  'child_process',
  'crypto',
  'module',
  'os',
  'path',
  'process',
  'timers/promises',
  'url',
  'worker_threads',
  'zlib',
]
const standIns = {
  'node:assert/strict': standIn('assert.ts'),
  'node:buffer': standIn('buffer.ts'),
  'node:fs': standIn('fs.ts'),
  'node:fs/promises': standIn('fs.ts'),
  ...Object.fromEntries(small.map((name) => [`node:${name}`, standIn('node.ts')])),
  pngjs: join(root, 'node_modules/pngjs/browser.js'),
}

/** Node's globals, where a spec or a test's peer uses them: never for the package itself. */
const globals = [
  ['Buffer', `import { Buffer } from ${JSON.stringify(standIn('buffer.ts'))};`],
  ['process', `import process from ${JSON.stringify(standIn('node.ts'))};`],
]

/** `import.meta.url` is where the file itself is on the server, so that specs find their fixtures beside them. */
const sources = {
  name: 'sources',
  setup({ onLoad }) {
    onLoad({ filter: /\.ts$|[\\/]jpeg-js[\\/].*\.js$/ }, ({ path }) => {
      const file = fromRoot(path)
      let contents = readFileSync(path, 'utf8')
      const loader = path.endsWith('.ts') ? 'ts' : 'js'
      if (file.startsWith('spec/') && !file.startsWith('spec/runtimes/browser/stand-ins/')) {
        for (const [name, line] of globals) {
          const used = new RegExp(`\\b${name}\\b`).test(contents)
          if (used && !new RegExp(`import .*\\b${name}\\b.* from`).test(contents)) contents = line + contents
        }
      }
      if (loader === 'js') contents = `const { Buffer } = require(${JSON.stringify(standIn('buffer.ts'))});${contents}`
      contents = contents.replaceAll('import.meta.url', `new URL('/${file}', location.origin).href`)
      return { contents, loader }
    })
  },
}

const options = {
  bundle: true,
  write: false,
  format: 'esm',
  platform: 'browser',
  target: 'es2022',
  sourcemap: 'inline',
  ignoreAnnotations: true, // specs are all side effects
  absWorkingDir: root,
  logLevel: 'warning',
}

/** The specs of mocharc.json but for `leftOut`, and those of this folder. */
function specs(leftOut) {
  const { spec } = JSON.parse(readFileSync(join(here, '../mocharc.json'), 'utf8'))
  const all = spec.flatMap((pattern) => {
    const [folder] = pattern.split('/**/')
    const found = readdirSync(join(root, folder), { recursive: true }).filter((name) => name.endsWith('.spec.ts'))
    return found.map((name) => `${folder}/${name.replaceAll('\\', '/')}`).sort()
  })
  // a name that ends with a slash is a folder
  const names = (name, file) => (name.endsWith('/') ? file.startsWith(name) : file === name)
  for (const name of leftOut) {
    if (!all.some((file) => names(name, file))) throw new Error(`left out, but there is no such spec: ${name}`)
  }
  const own = readdirSync(here, { recursive: true }).filter((name) => name.endsWith('.spec.ts'))
  return [
    ...own.map((name) => fromRoot(join(here, name))).sort(),
    ...all.filter((file) => !leftOut.some((name) => names(name, file))),
  ]
}

/** Scripts by their path on the server. leftOut: spec files. only: spec files whose names contain one of these, if any. */
export async function makeBundles({ leftOut, only }) {
  const chosen = specs(leftOut).filter((file) => only.length === 0 || only.some((part) => file.includes(part)))
  const lines = ['spec/runtimes/browser/setup.ts', ...chosen, 'spec/runtimes/browser/start.ts']
  const page = await build({
    ...options,
    stdin: { contents: lines.map((file) => `import './${file}'`).join('\n'), resolveDir: root },
    alias: standIns,
    plugins: [sources],
  })
  const built = await build({
    ...options,
    entryPoints: ['package.js', 'clip-worker.js'].map((name) => join(here, 'pages', name)),
    outdir: join(root, 'bundles'),
  })
  const bundles = new Map(built.outputFiles.map(({ path, contents }) => [`/${fromRoot(path)}`, Buffer.from(contents)]))
  bundles.set('/bundles/specs.js', Buffer.from(page.outputFiles[0].contents))
  return bundles
}
