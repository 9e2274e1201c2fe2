import { deepEqual, equal, ok, rejects, throws } from 'node:assert/strict'
import { load } from '../../index.ts'
import { adoptModule, compileModule, wasmModuleBytes } from '../../runtime/index.ts'
import { threadsPossible } from '../../runtime/wasm/threads.ts'

const compiled = async (relaxed: boolean, shared: boolean) =>
  WebAssembly.compile(await wasmModuleBytes({ relaxed, shared }))

/** The module of a file whose bytes were changed. */
async function changed(change: (bytes: Uint8Array) => Uint8Array): Promise<WebAssembly.Module> {
  return WebAssembly.compile(Uint8Array.from(change(await wasmModuleBytes({ relaxed: false, shared: false }))))
}

/** Bytes of the custom section at the end: its id and size, the name `bareclip`, the form and a hash of 16 digits. */
const sectionBytes = 2 + 1 + 8 + 'simd128 '.length + 16

describe('a module that the user compiled', () => {
  let own: 'relaxed-simd' | 'simd128'
  before(async () => {
    own = (await compileModule(false)).form
  })

  it('runs, and info says so: the same bits as the module from the package', async () => {
    using usual = await load(undefined, { device: 'wasm', threads: 1 })
    equal(usual.info.variants.module, own)
    const expected = await usual.encodeText(['a red circle', 'a blue star'])
    for (const device of ['auto', 'wasm'] as const) {
      using clip = await load(undefined, {
        device,
        threads: 1,
        wasmModule: await compiled(own === 'relaxed-simd', false),
      })
      equal(clip.info.device, 'wasm')
      equal(clip.info.variants.module, `${own}, handed in`)
      deepEqual((await clip.encodeText(['a red circle', 'a blue star'])).data, expected.data)
    }
  })

  it('decides the form, whatever the engine could do', async () => {
    using clip = await load(undefined, { threads: 1, wasmModule: await compiled(false, false) })
    equal(clip.info.variants.module, 'simd128, handed in')
  })

  it('without shared memory: one thread, with the reason', async () => {
    const wasmModule = await compiled(false, false)
    using clip = await load(undefined, { threads: 2, wasmModule })
    equal(clip.info.threads, 1)
    ok(clip.info.reason.includes('one thread: '), clip.info.reason)
    if (threadsPossible().possible) {
      ok(clip.info.reason.endsWith('one thread: the module handed in takes no shared memory'), clip.info.reason)
    }
    using single = await load(undefined, { threads: 1, wasmModule })
    ok(!single.info.reason.includes('handed in'), 'one thread was asked for')
  })

  it('with shared memory: as many threads as asked for, one included', async function () {
    if (!threadsPossible().possible) this.skip()
    const wasmModule = await compiled(false, true)
    const results: Float32Array[] = []
    for (const threads of [1, 2]) {
      using clip = await load(undefined, { threads, wasmModule })
      equal(clip.info.threads, threads)
      results.push((await clip.encodeText('a red circle')).data)
    }
    deepEqual(results[1], results[0])
  })

  it('its memory is found by trying', async () => {
    for (const shared of [false, true]) {
      const { form, shared: found } = adoptModule(await compiled(false, shared))
      deepEqual([form, found], ['simd128', shared])
    }
  })

  it('compiles nothing where compiling is forbidden, and says what to do without one', async () => {
    const wasmModule = await compiled(false, false)
    const { compile, instantiate } = WebAssembly
    const forbidden = async (source: unknown) => {
      throw new WebAssembly.CompileError(`Wasm code generation disallowed by embedder: ${typeof source}`)
    }
    try {
      WebAssembly.compile = forbidden as typeof compile
      WebAssembly.instantiate = ((source, imports) =>
        Object.prototype.toString.call(source) === '[object WebAssembly.Module]'
          ? instantiate(source as WebAssembly.Module, imports)
          : forbidden(source)) as typeof instantiate
      using clip = await load(undefined, { device: 'wasm', wasmModule })
      equal((await clip.encodeText('a red circle')).rows, 1)
      await rejects(load(undefined, { device: 'wasm', threads: 1 }), {
        code: 'DEVICE_UNAVAILABLE',
        message: /disallowed by embedder.*where compiling is forbidden, pass a compiled module as wasmModule/,
      })
    } finally {
      Object.assign(WebAssembly, { compile, instantiate })
    }
  })

  describe('is refused', () => {
    const empty = () => new WebAssembly.Module(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0))
    const cases: [name: string, module: () => unknown, message: RegExp][] = [
      ['bytes', () => wasmModuleBytes({ relaxed: false, shared: false }), /should be a WebAssembly\.Module, found/],
      ['a path', () => 'kernels.wasm', /should be a WebAssembly\.Module, found "kernels\.wasm"$/],
      ['null', () => null, /should be a WebAssembly\.Module, found null$/],
      [
        'a module of something else',
        empty,
        /this version of bareclip\/runtime, found one without their custom section/,
      ],
      [
        'a stripped module',
        () => changed((bytes) => bytes.subarray(0, -sectionBytes)),
        /found one without their custom section `bareclip`: write the \.wasm file anew$/,
      ],
      [
        'a module of another version',
        () => changed((bytes) => bytes.map((byte, i) => (i === bytes.length - 1 ? byte ^ 1 : byte))),
        /found one of another version: write the \.wasm file anew$/,
      ],
    ]
    for (const [name, make, message] of cases) {
      it(name, async () => {
        const wasmModule = (await make()) as WebAssembly.Module
        throws(() => adoptModule(wasmModule), { name: 'BareclipError', code: 'INVALID_ARGUMENT', message })
        for (const device of ['auto', 'wasm'] as const) {
          await rejects(load(undefined, { device, wasmModule }), { code: 'INVALID_ARGUMENT', message })
        }
      })
    }

    it('by the reference device, which has no use for it', async () => {
      const wasmModule = await compiled(false, false)
      await rejects(load(undefined, { device: 'reference', wasmModule }), {
        code: 'INVALID_ARGUMENT',
        message: "wasmModule is of no use to device 'reference': use 'auto' or 'wasm'",
      })
    })
  })
})
