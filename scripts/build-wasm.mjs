// Compiles each *.as.ts that is a module in both forms, without and with relaxed SIMD, and embeds them, deflated together and in
// base64, in a generated file beside it: the kernels, and the roofs of the bench, which no user's bundle has. The bench's product
// in float64 has one form.
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

const shared = [...sources('kernels'), ...sources('runtime')]
const modules = [
  { source: 'runtime/wasm/module.as.ts', target: 'runtime/wasm/binaries.generated.ts', inputs: shared },
  {
    source: 'bench/kernels/roof.as.ts',
    target: 'bench/kernels/roof-binaries.generated.ts',
    inputs: [...shared, 'bench/kernels/roof.as.ts'],
  },
]

const fresh = (target, inputs) => {
  const newest = Math.max(...[...inputs, 'scripts/build-wasm.mjs'].map((path) => statSync(join(root, path)).mtimeMs))
  return existsSync(join(root, target)) && statSync(join(root, target)).mtimeMs >= newest
}

const flags = '-O3 --converge --noAssert --runtime stub --importMemory --stackSize 0 --memoryBase 64 --enable simd'
const moduleFlags = '--initialMemory 1 --maximumMemory 65536 --sharedMemory --enable threads'.split(' ')

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

/** Bytes. Deflate looks back 32 KiB: side by side the second form is mostly references to the first, two fifths less in all. */
const stretch = 8192

function interleaved(forms) {
  const parts = []
  for (let from = 0; forms.some(({ length }) => from < length); from += stretch) {
    for (const form of forms) parts.push(form.subarray(from, from + stretch))
  }
  return Buffer.concat(parts)
}

for (const { source, target, inputs } of modules) {
  if (fresh(target, inputs)) continue
  const simd = await compile(source, 'simd', moduleFlags)
  const relaxed = await compile(source, 'relaxed', [...moduleFlags, '--enable', 'relaxed-simd'])
  const code = createHash('sha256').update(simd).update(relaxed).digest('hex').slice(0, 16)
  const forms = [marked(simd, `simd128 ${code}`), marked(relaxed, `relaxed-simd ${code}`)]
  const deflated = deflateRawSync(interleaved(forms), { level: 9 }).toString('base64')
  writeFileSync(
    join(root, target),
    `// Made by scripts/build-wasm.mjs from ${source}: WebAssembly without and with relaxed SIMD.
export const codeVersion = '${code}'
/** bytes: of each form. In turn \`stretch\` bytes of one and of the other, raw deflate, base64. */
export const binaries = {
  bytes: [${forms.map(({ length }) => length)}],
  stretch: ${stretch},
  deflated:
    '${deflated}',
}
`,
  )
  console.log(`${source}: simd ${simd.length} bytes, relaxed ${relaxed.length} bytes`)
}

const product = 'bench/precision/product.generated.ts'
if (!fresh(product, ['bench/precision/product.as.ts'])) {
  const bytes = await compile('bench/precision/product.as.ts', 'product', [])
  writeFileSync(
    join(root, product),
    `// Made by scripts/build-wasm.mjs from product.as.ts: WebAssembly, base64.
export const productBinary = '${Buffer.from(bytes).toString('base64')}'
`,
  )
}
