// Compiles runtime/wasm/module.as.ts in both forms and embeds them, deflated and in base64, in runtime/wasm/binaries.generated.ts;
// and the bench's float64 product in bench/precision/product.generated.ts.
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { deflateRawSync } from 'node:zlib'
import asc from 'assemblyscript/asc'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const target = join(root, 'runtime/wasm/binaries.generated.ts')

function sources(folder) {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`
    if (entry.isDirectory()) return sources(path)
    return entry.name.endsWith('.as.ts') ? [path] : []
  })
}

const fresh = (target, inputs) => {
  const newest = Math.max(...[...inputs, 'scripts/build-wasm.mjs'].map((path) => statSync(join(root, path)).mtimeMs))
  return existsSync(target) && statSync(target).mtimeMs >= newest
}

const flags = '-O3 --converge --noAssert --runtime stub --importMemory --stackSize 0 --enable simd'
const moduleFlags = '--initialMemory 1 --maximumMemory 65536 --sharedMemory --enable threads'

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

if (!fresh(target, [...sources('kernels'), ...sources('runtime')])) {
  const source = 'runtime/wasm/module.as.ts'
  const simd = await compile(source, 'simd', moduleFlags.split(' '))
  const relaxed = await compile(source, 'relaxed', [...moduleFlags.split(' '), '--enable', 'relaxed-simd'])
  const code = createHash('sha256').update(simd).update(relaxed).digest('hex').slice(0, 16)
  const text = (bytes, form) => deflateRawSync(marked(bytes, `${form} ${code}`), { level: 9 }).toString('base64')
  writeFileSync(
    target,
    `// Made by scripts/build-wasm.mjs from the *.as.ts files: WebAssembly, raw deflate, base64.
export const codeVersion = '${code}'
export const simdBinary = '${text(simd, 'simd128')}'
export const relaxedBinary = '${text(relaxed, 'relaxed-simd')}'
`,
  )
  console.log(`wasm: simd ${simd.length} bytes, relaxed ${relaxed.length} bytes`)
}

const product = join(root, 'bench/precision/product.generated.ts')
if (!fresh(product, ['bench/precision/product.as.ts'])) {
  const bytes = await compile('bench/precision/product.as.ts', 'product', [])
  writeFileSync(
    product,
    `// Made by scripts/build-wasm.mjs from product.as.ts: WebAssembly, base64.
export const productBinary = '${Buffer.from(bytes).toString('base64')}'
`,
  )
}
