// The licence texts of what a bundle holds of other people's work.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

/** The folder of the package that a file belongs to: the nearest with a package.json that has a name and a version. */
function packageOf(path) {
  for (let folder = dirname(path); folder !== dirname(folder); folder = dirname(folder)) {
    const file = join(folder, 'package.json')
    if (!existsSync(file)) continue
    const { name, version, license } = JSON.parse(readFileSync(file, 'utf8'))
    if (name && version) return { folder, name, version, license }
  }
  throw new Error(`${path} belongs to no package`)
}

/** metafile: esbuild's. Throws if a bundled package has no licence text: then it may not be published. */
export function licencesOf({ inputs }) {
  const packages = new Map()
  for (const path of Object.keys(inputs)) {
    if (!path.includes('node_modules/')) continue
    const one = packageOf(resolve(path))
    packages.set(`${one.name} ${one.version}`, one)
  }
  const texts = [...packages.keys()].sort().map((title) => {
    const { folder, license } = packages.get(title)
    const file = readdirSync(folder).find((name) => /^(licen[cs]e|copying)(\.\w+)?$/i.test(name))
    if (!file) throw new Error(`${title} is bundled but has no licence text in ${folder}`)
    return `${title} (${license})\n\n${readFileSync(join(folder, file), 'utf8').trim()}\n`
  })
  return texts.join(`\n${'-'.repeat(80)}\n\n`)
}
