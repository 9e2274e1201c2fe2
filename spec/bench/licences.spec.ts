import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')

describe('licences of what the bench bundles', () => {
  for (const [file, packages] of [
    [
      'dist/bench/vendor/LICENSES.txt',
      ['@observablehq/plot', 'd3-array', 'd3-scale', 'linkedom', 'lodash', 'benchmark'],
    ],
    ['dist/bench/browser/LICENSES.txt', ['lodash', 'benchmark']],
  ] as const) {
    it(file, () => {
      const texts = read(file).split(`\n${'-'.repeat(80)}\n\n`)
      for (const name of packages) {
        const { version, license } = JSON.parse(read(`node_modules/${name}/package.json`))
        const text = texts.find((one) => one.startsWith(`${name} ${version} (${license})\n\n`))
        assert.ok(text, `${name} ${version}`)
        assert.match(text, /copyright/i)
        assert.match(text, /WITHOUT WARRANTY|"AS IS"/)
      }
    })
  }
})
