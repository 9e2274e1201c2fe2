import { createRequire } from 'node:module'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

/** A `GPU` with an adapter behind it, or what it takes to have one. */
export type FoundGpu = { readonly gpu: GPU } | { readonly missing: string }

/**
 * On a second and third software adapter only the kernel cases run: what is about our own code is tested in Node 20. 'rungs' adds
 * those that software adapters do not take by themselves, for another WGSL compiler.
 */
export const casesOnly = process.env.BARECLIP_WEBGPU !== undefined
export const rungsToo = !casesOnly || process.env.BARECLIP_WEBGPU === 'rungs'

/** Of the runtime itself (browsers, Deno), else Dawn's, from the `webgpu` package in spec/runtimes. */
export async function findGpu(): Promise<FoundGpu> {
  const own = (globalThis as { navigator?: { gpu?: GPU } }).navigator?.gpu
  try {
    const gpu = own ?? dawn()
    if (await gpu.requestAdapter()) return { gpu }
    return {
      missing: 'WebGPU finds no adapter: install a Vulkan driver (mesa-vulkan-drivers of Debian 13 or its backports)',
    }
  } catch (error) {
    const [message] = String(error instanceof Error ? error.message : error).split('\n')
    return { missing: `no WebGPU here (${message}): run npm install in spec/runtimes` }
  }
}

/** Dawn without a driver: it validates everything and computes nothing. Undefined where WebGPU is the runtime's own. */
export function findNullGpu(): FoundGpu | undefined {
  if ((globalThis as { navigator?: { gpu?: GPU } }).navigator?.gpu) return undefined
  try {
    return { gpu: dawn('backend=null', 'enable-dawn-features=allow_unsafe_apis') }
  } catch (error) {
    const [message] = String(error instanceof Error ? error.message : error).split('\n')
    return { missing: `no Dawn here (${message}): run npm install in spec/runtimes` }
  }
}

/** One for each set of options. Collected as garbage, it would take the process with it. */
function dawn(...options: readonly string[]): GPU {
  const pinned = globalThis as { bareclipDawn?: Record<string, GPU> }
  pinned.bareclipDawn ??= {}
  const key = options.join(' ')
  const known = pinned.bareclipDawn[key]
  if (known) return known
  for (const [name, value] of Object.entries(driverSettings())) process.env[name] ??= value
  askSeldom()
  const require = createRequire(new URL('./runtimes/package.json', import.meta.url))
  const { create } = require('webgpu') as { create(options: readonly string[]): GPU }
  const gpu = create(options)
  pinned.bareclipDawn[key] = gpu
  return gpu
}

/** lavapipe takes seconds to compile a shader, a third of them to make it faster: nothing here runs for long. */
export const driverSettings = () => ({
  MESA_SHADER_CACHE_DIR: fileURLToPath(new URL('../.cache/mesa', import.meta.url)),
  GALLIVM_PERF: 'nopt',
})

/**
 * While it waits, Dawn asks the driver in each turn of the event loop, which takes half of the processor from a driver that
 * computes there: now once a millisecond. Its task is native and, unlike a promise's `resolve`, takes nothing.
 */
function askSeldom() {
  const ofDawn = (task: (...values: unknown[]) => unknown) => task.length === 0 && `${task}`.includes('[native code]')
  globalThis.setImmediate = new Proxy(setImmediate, {
    apply: (target, self, [task, ...rest]) =>
      ofDawn(task) ? setTimeout(task, 1) : Reflect.apply(target, self, [task, ...rest]),
  })
}
