// Compiles each *.as.ts that is a module in both forms, without and with relaxed SIMD, and embeds them, deflated and in base64, in
// a generated file beside it: the kernels, and the roofs of the bench, which no user's bundle has.
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { deflateRawSync } from 'node:zlib'
import asc from 'assemblyscript/asc'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')

function sources(folder) {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`
    if (entry.isDirectory()) return sources(path)
    return entry.name.endsWith('.as.ts') ? [path] : []
  })
}

const shared = [...sources('kernels'), ...sources('runtime'), 'scripts/build-wasm.mjs']
const modules = [
  { source: 'runtime/wasm/module.as.ts', target: 'runtime/wasm/binaries.generated.ts', inputs: shared },
  {
    source: 'bench/kernels/roof.as.ts',
    target: 'bench/kernels/roof-binaries.generated.ts',
    inputs: [...shared, 'bench/kernels/roof.as.ts'],
  },
]

const flags =
  '-O3 --converge --noAssert --runtime stub --importMemory --initialMemory 1 --maximumMemory 65536 --sharedMemory ' +
  '--enable simd --enable threads --stackSize 0'

async function compile(source, name, extra) {
  const files = new Map()
  const { error, stderr } = await asc.main([source, '-o', `${name}.wasm`, ...flags.split(' '), ...extra], {
    readFile: (path, base) => {
      const full = join(root, base ?? '', path)
      return existsSync(full) ? readFileSync(full, 'utf8') : null
    },
    writeFile: (path, content) => files.set(path, content),
    listFiles: () => [],
  })
  if (error) {
    console.error(stderr.toString())
    throw error
  }
  return files.get(`${name}.wasm`)
}

/** bytes and a custom section `bareclip` at their end that says which form of which code this is; all lengths under 128 */
function marked(bytes, mark) {
  const name = Buffer.from('bareclip')
  const content = [name.length, ...name, ...Buffer.from(mark)]
  return Buffer.concat([bytes, Uint8Array.of(0, content.length, ...content)])
}

for (const { source, target, inputs } of modules) {
  const newest = Math.max(...inputs.map((path) => statSync(join(root, path)).mtimeMs))
  if (existsSync(join(root, target)) && statSync(join(root, target)).mtimeMs >= newest) continue
  const simd = await compile(source, 'simd', [])
  const relaxed = await compile(source, 'relaxed', ['--enable', 'relaxed-simd'])
  const code = createHash('sha256').update(simd).update(relaxed).digest('hex').slice(0, 16)
  const text = (bytes, form) => deflateRawSync(marked(bytes, `${form} ${code}`), { level: 9 }).toString('base64')
  writeFileSync(
    join(root, target),
    `// Made by scripts/build-wasm.mjs from ${source}: WebAssembly, raw deflate, base64.
export const codeVersion = '${code}'
export const simdBinary = '${text(simd, 'simd128')}'
export const relaxedBinary = '${text(relaxed, 'relaxed-simd')}'
`,
  )
  console.log(`${source}: simd ${simd.length} bytes, relaxed ${relaxed.length} bytes`)
}
