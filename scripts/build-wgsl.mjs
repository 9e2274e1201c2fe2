// Embeds each kernels/<operation>/<variant>.wgsl as <variant>.wgsl.generated.ts, without comments and indentation, with the bindings and uniform
// members that the host needs, so that they are written once.
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const ending = '.wgsl.generated.ts'

function files(folder) {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? files(`${folder}/${entry.name}`) : [`${folder}/${entry.name}`],
  )
}

function embed(path) {
  // Lines stay where they are, so that the compiler's line numbers are those of the file.
  const code = readFileSync(join(root, path), 'utf8').replaceAll(/^[ \t]+|[ \t]*\/\/.*$/gm, '')
  const bindings = [
    ...code.matchAll(/@group\(0\)\s*@binding\((\d+)\)\s*var<storage,\s*(read|read_write)>\s*(\w+)\s*:/g),
  ].map(([, binding, access, name]) => ({ name, binding: Number(binding), access }))
  const declared = [...code.matchAll(/@group\(0\)/g)].length
  const [, members = ''] = /struct\s+Parameters\s*\{([^}]*)\}/.exec(code) ?? []
  const uniforms = members
    .split(',')
    .filter((member) => member.trim())
    .map((member) => {
      const [, name, type] = /^\s*(\w+)\s*:\s*(u32|i32|f32)\s*$/.exec(member) ?? []
      if (!name) throw new Error(`${path}: a member of Parameters is no u32, i32 or f32: ${member.trim()}`)
      return { name, type }
    })
  if (bindings.length !== declared) throw new Error(`${path}: a binding of group 0 is no plain storage buffer`)
  const depth = '../'.repeat(path.split('/').length - 1)
  const list = (items) => `[${items.map((item) => `\n    ${JSON.stringify(item)},`).join('')}\n  ]`
  return `// Made by scripts/build-wgsl.mjs from ${path}.
import type { Shader } from '${depth}runtime/webgpu/kernel.ts'

export const shader: Shader = {
  name: ${JSON.stringify(path.replace(/^kernels\//, '').replace(/\.wgsl$/, ''))},
  bindings: ${list(bindings)},
  uniforms: ${list(uniforms)},
  code: ${JSON.stringify(code)},
}
`
}

const all = files('kernels')
for (const path of all.filter((path) => path.endsWith('.wgsl'))) {
  const target = join(root, path.replace(/\.wgsl$/, ending))
  const text = embed(path)
  if (!existsSync(target) || readFileSync(target, 'utf8') !== text) writeFileSync(target, text)
}
for (const path of all.filter((path) => path.endsWith(ending))) {
  if (!existsSync(join(root, path.slice(0, -'.generated.ts'.length)))) rmSync(join(root, path))
}
