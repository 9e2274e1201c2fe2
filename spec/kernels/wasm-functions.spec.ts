import { deepEqual, equal, ok } from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import asc from 'assemblyscript/asc'
import { activate } from '../../kernels/activation.ts'

// kernels/activation.as.ts promises error bounds for e^x, SiLU and GELU on four lanes. The module has them inside its kernels only,
// so they are compiled here on their own.

const root = new URL('../../', import.meta.url)
const names = ['exp4', 'silu4', 'gelu4'] as const
type Name = (typeof names)[number]

const entry = `import { ${names.join(', ')} } from './kernels/activation.as'
${names
  .map(
    (name) => `export function all_${name}(values: usize, count: i32): void {
  for (let i: usize = 0; i < <usize>count << 2; i += 16) v128.store(values + i, ${name}(v128.load(values + i)))
}`,
  )
  .join('\n')}
`

async function compiled(...extra: readonly string[]): Promise<Uint8Array<ArrayBuffer>> {
  let binary = new Uint8Array()
  const { error, stderr } = await asc.main(
    [
      'functions.ts',
      '-o',
      'functions.wasm',
      ...'-O3 --noAssert --runtime stub --importMemory --memoryBase 64'.split(' '),
      ...extra,
    ],
    {
      readFile(path) {
        if (path === 'functions.ts') return entry
        const file = new URL(path, root)
        return existsSync(file) ? readFileSync(file, 'utf8') : null
      },
      writeFile(_path, content) {
        if (typeof content !== 'string') binary = new Uint8Array(content)
      },
      listFiles: () => [],
    },
  )
  ok(!error, `${error}\n${stderr}`)
  return binary
}

/** As many as fit one call; a multiple of 4. */
const capacity = 1 << 16

async function functionsOf(binary: Uint8Array<ArrayBuffer>) {
  const memory = new WebAssembly.Memory({ initial: (4 * capacity) / 65536 + 1 })
  const { instance } = await WebAssembly.instantiate(binary, { env: { memory } })
  const values = new Float32Array(memory.buffer, 1024, capacity)
  return (name: Name, xs: Float32Array): Float32Array => {
    const results = new Float32Array(xs.length)
    for (let start = 0; start < xs.length; start += capacity) {
      const part = xs.subarray(start, start + capacity)
      values.set(part)
      const all = instance.exports[`all_${name}`] as (address: number, count: number) => void
      all(values.byteOffset, capacity)
      results.set(values.subarray(0, part.length), start)
    }
    return results
  }
}

const awkward = [0, -0, 1e-40, -1e-40, 1, -1, 14, -14, 13.2166, -13.2166, 88.37626, -88.37626, 88.72283, -87.33654]

/** Numbers in [-104, 104]: every 4099th pattern of bits, subnormal numbers included, an even grid, awkward values. */
function dense(): Float32Array {
  const [top = 0] = new Int32Array(Float32Array.of(104).buffer)
  const patterns = Int32Array.from({ length: Math.floor(top / 4099) }, (_, i) => i * 4099)
  const steps = 2 ** 18
  return joined([
    new Float32Array(patterns.buffer),
    new Float32Array(patterns.map((bits) => bits | 0x80000000).buffer),
    Float32Array.from({ length: steps + 1 }, (_, i) => -104 + (208 * i) / steps),
    Float32Array.from(awkward),
    neighbours(awkward),
  ])
}

/** The next numbers on both sides; of zeros on one. */
function neighbours(values: readonly number[]): Float32Array {
  const patterns = new Int32Array(Float32Array.from(values).buffer)
  return new Float32Array(
    Int32Array.from([...patterns].flatMap((bits) => [bits + 1, bits << 1 ? bits - 1 : bits])).buffer,
  )
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

/** The distance between float32 numbers around x, which is in the normal range. */
const ulp = (x: number) => 2 ** (Math.floor(Math.log2(Math.abs(x))) - 23)

const smallest = 2 ** -149
const { NaN: nan, POSITIVE_INFINITY: infinity, NEGATIVE_INFINITY: minus } = Number

for (const { form, flags } of [
  { form: 'SIMD128', flags: ['--enable', 'simd'] },
  { form: 'relaxed SIMD', flags: ['--enable', 'simd', '--enable', 'relaxed-simd'] },
]) {
  describe(`functions of the wasm kernels, ${form}`, () => {
    let run: Awaited<ReturnType<typeof functionsOf>>
    const xs = dense()

    before(async function () {
      this.timeout(60_000)
      const binary = await compiled(...flags)
      if (form === 'relaxed SIMD' && !WebAssembly.validate(binary)) this.skip() // no relaxed SIMD in this engine
      run = await functionsOf(binary)
    })

    /** No result is further from the true value than `allowed`. */
    const within = (name: Name, truth: (x: number) => number, allowed: (x: number, want: number) => number) => {
      run(name, xs).forEach((got, i) => {
        const x = xs[i]!
        const want = truth(x)
        const close = Math.abs(got - want) <= allowed(x, want) || (got === infinity && want > 3.4028235677973366e38)
        if (!close) ok(false, `${name}(${x}): ${got}, expected ${want}, allowed ${allowed(x, want)}`)
      })
    }

    it('exp4 to 1.1 units in the last place, 0 below the normal range', () => {
      within('exp4', Math.exp, (x, want) => (x < -87.33654 ? want : 1.1 * ulp(want)))
      equal(run('exp4', Float32Array.of(-87.3366, 0, 0, 0))[0], 0)
    })

    it('silu4 to 2.5e-7 of its value', () => {
      const allowed = (x: number, want: number) => (x < -88.722 ? 2.7e-37 : 2.5e-7 * Math.abs(want) + smallest)
      within('silu4', (x) => activate('silu', x), allowed)
    })

    it('gelu4 to 3e-7 + 3e-8 x² of its value, and to 1.5e-7 |x|', () => {
      const truth = (x: number) => activate('gelu', x)
      const relative = (x: number, want: number) => (3e-7 + 3e-8 * x * x) * Math.abs(want)
      within('gelu4', truth, (x, want) => (x < -13.21 ? 5e-39 : relative(x, want) + smallest))
      within('gelu4', truth, (x) => 1.5e-7 * Math.abs(x) + smallest)
    })

    it('infinities, NaN and huge numbers', () => {
      const special = Float32Array.of(infinity, minus, nan, 3.4e38, -3.4e38, 89, -89, -0)
      deepEqual([...run('exp4', special)], [infinity, 0, nan, infinity, 0, infinity, 0, 1])
      deepEqual([...run('silu4', special)].map(Math.abs), [infinity, nan, nan, Math.fround(3.4e38), 0, 89, 0, 0])
      deepEqual([...run('gelu4', special)].map(Math.abs), [infinity, nan, nan, Math.fround(3.4e38), 0, 89, 0, 0])
    })
  })
}
