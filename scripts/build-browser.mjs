// Bundles the script of the page that `bareclip bench --browser` serves into dist/bench/browser/page.js. `#platform` is the
// browser's there; a node: import on the way is an error here.
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { licencesOf } from './licences.mjs'

const into = fileURLToPath(new URL('../dist/bench/browser/', import.meta.url))
const { metafile } = await build({
  entryPoints: [fileURLToPath(new URL('../bench/browser/page.ts', import.meta.url))],
  outfile: `${into}page.js`,
  bundle: true,
  format: 'esm',
  platform: 'browser',
  mainFields: ['browser', 'module', 'main'],
  minify: true,
  legalComments: 'eof',
  target: 'es2022',
  metafile: true,
})
writeFileSync(`${into}LICENSES.txt`, licencesOf(metafile))
