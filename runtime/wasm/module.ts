import { BareclipError, describe, messageOf } from '../errors.ts'
import { codeVersion, relaxedBinary, simdBinary } from './binaries.generated.ts'

/** The compiled kernels and which form they have. */
export interface WasmModule {
  readonly module: WebAssembly.Module
  readonly form: ModuleForm
  /** Whether its memory has to be shared. */
  readonly shared: boolean
}

/** relaxed-simd: where the engine and the processor have fused multiply-adds, they are used. */
export type ModuleForm = 'relaxed-simd' | 'simd128'

/** Throws DEVICE_UNAVAILABLE where there is no WebAssembly SIMD or compiling is forbidden. */
export async function compileModule(shared: boolean): Promise<WasmModule> {
  if (typeof WebAssembly !== 'object') {
    throw new BareclipError('DEVICE_UNAVAILABLE', 'this runtime has no WebAssembly: use the reference device')
  }
  const form = WebAssembly.validate(relaxedProbe) ? 'relaxed-simd' : 'simd128'
  try {
    const bytes = await wasmModuleBytes({ relaxed: form === 'relaxed-simd', shared })
    return { module: await WebAssembly.compile(bytes), form, shared }
  } catch (cause) {
    throw new BareclipError(
      'DEVICE_UNAVAILABLE',
      `the WebAssembly kernels cannot be compiled here: ${messageOf(cause)}; where compiling is forbidden, pass a compiled module as wasmModule`,
      { cause },
    )
  }
}

/**
 * The kernels as a .wasm file: what `wasmModule` of `load` has to be compiled from. relaxed: with relaxed SIMD, which not
 * every engine takes; shared: for threads, with an import of shared memory.
 */
export async function wasmModuleBytes(form: {
  readonly relaxed: boolean
  readonly shared: boolean
}): Promise<Uint8Array<ArrayBuffer>> {
  return embeddedModule(form.relaxed ? relaxedBinary : simdBinary, form.shared)
}

/** binary: as scripts/build-wasm.mjs embeds it, raw deflate in base64, with an import of shared memory */
export async function embeddedModule(binary: string, shared: boolean): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await inflate(binary)
  if (!shared) unshare(bytes)
  return bytes
}

/**
 * Takes a module that someone else compiled. Throws INVALID_ARGUMENT unless it was compiled from `wasmModuleBytes` of this
 * very version.
 */
export function adoptModule(module: WebAssembly.Module): WasmModule {
  // By tag: under some test runners a module belongs to another realm.
  if (Object.prototype.toString.call(module) !== '[object WebAssembly.Module]') {
    throw new BareclipError('INVALID_ARGUMENT', `wasmModule should be a WebAssembly.Module, found ${describe(module)}`)
  }
  const [section] = WebAssembly.Module.customSections(module, 'bareclip')
  const [form, version] = section ? new TextDecoder().decode(section).split(' ') : []
  if (version !== codeVersion || (form !== 'relaxed-simd' && form !== 'simd128')) {
    const found = section ? 'one of another version' : 'one without their custom section `bareclip`'
    throw new BareclipError(
      'INVALID_ARGUMENT',
      `wasmModule should be compiled from wasmModuleBytes() of this version of bareclip/runtime, found ${found}: write the .wasm file anew`,
    )
  }
  return { module, form, shared: takesSharedMemory(module) }
}

/** Not every engine describes a module's imports in full, so it is tried out on a page of memory. */
function takesSharedMemory(module: WebAssembly.Module): boolean {
  for (const shared of [false, true]) {
    try {
      new WebAssembly.Instance(module, { env: { memory: new WebAssembly.Memory({ initial: 1, maximum: 1, shared }) } })
      return shared
    } catch (cause) {
      if (!shared) continue
      throw new BareclipError('DEVICE_UNAVAILABLE', `wasmModule cannot be instantiated here: ${messageOf(cause)}`, {
        cause,
      })
    }
  }
  return false
}

/** A function whose body is one f32x4.relaxed_madd. */
const relaxedProbe = Uint8Array.of(
  ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0], // magic, version
  ...[1, 5, 1, 0x60, 0, 1, 0x7b], // type: () → v128
  ...[3, 2, 1, 0], // one function of it
  ...[10, 19, 1, 17, 0, 0x41, 0, 0xfd, 0x0f, 0x41, 0, 0xfd, 0x0f, 0x41, 0, 0xfd, 0x0f], // three times i32.const 0, i8x16.splat
  ...[0xfd, 0x85, 0x02, 0x0b], // f32x4.relaxed_madd, end
)

async function inflate(base64: string): Promise<Uint8Array<ArrayBuffer>> {
  const deflated = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
  const stream = new Blob([deflated]).stream().pipeThrough(new DecompressionStream('deflate-raw'))
  return new Uint8Array(await new Response(stream).arrayBuffer())
}

/** In place: makes the imported memory an unshared one by its limits flag (3: shared with a maximum, 1: with a maximum). */
function unshare(bytes: Uint8Array): void {
  for (let at = 8; at < bytes.length; ) {
    const section = bytes[at++]
    const { value: size, next } = leb128(bytes, at)
    if (section === 2) {
      // one import: two names, then kind 2 (memory) and its flag
      const name = leb128(bytes, next + 1)
      const field = leb128(bytes, name.next + name.value)
      const kind = field.next + field.value
      if (bytes[kind] !== 2 || bytes[kind + 1] !== 3)
        throw new Error('bareclip bug: the module imports no shared memory first')
      bytes[kind + 1] = 1
      return
    }
    at = next + size
  }
}

function leb128(bytes: Uint8Array, at: number): { value: number; next: number } {
  let value = 0
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++]!
    value |= (byte & 0x7f) << shift
    if (byte < 0x80) return { value, next: at }
  }
}
