// Bundles what bench/vendor/ takes from npm into dist/bench/vendor/, so that `bareclip bench` needs nothing installed beside it and
// the library has no more dependencies for it. LICENSES.txt has the licence of everything bundled.
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { licencesOf } from './licences.mjs'

const from = fileURLToPath(new URL('../bench/vendor/', import.meta.url))
const into = fileURLToPath(new URL('../dist/bench/vendor/', import.meta.url))
const { metafile } = await build({
  entryPoints: readdirSync(from).map((name) => join(from, name)),
  outdir: into,
  bundle: true,
  format: 'esm',
  platform: 'neutral',
  mainFields: ['module', 'main'],
  external: ['canvas'], // linkedom has it as an option
  minify: true,
  legalComments: 'eof',
  target: 'es2022',
  metafile: true,
})
writeFileSync(join(into, 'LICENSES.txt'), licencesOf(metafile))
