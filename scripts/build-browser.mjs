// Bundles the script of the page that `bareclip bench --browser` serves into dist/bench/browser/page.js. `#platform` is the
// browser's there; a node: import on the way is an error here.
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

await build({
  entryPoints: [fileURLToPath(new URL('../bench/browser/page.ts', import.meta.url))],
  outfile: fileURLToPath(new URL('../dist/bench/browser/page.js', import.meta.url)),
  bundle: true,
  format: 'esm',
  platform: 'browser',
  mainFields: ['browser', 'module', 'main'],
  minify: true,
  legalComments: 'eof',
  target: 'es2022',
})
