import { createRequire } from 'node:module'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

/** A `GPU` with an adapter behind it, or what it takes to have one. */
export type FoundGpu = { readonly gpu: GPU } | { readonly missing: string }

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

function dawn(): GPU {
  const pinned = globalThis as { bareclipDawn?: GPU }
  if (!pinned.bareclipDawn) {
    const cache = fileURLToPath(new URL('../.cache/mesa', import.meta.url))
    process.env.MESA_SHADER_CACHE_DIR ??= cache // a software driver takes seconds to compile a shader, once
    const require = createRequire(new URL('./runtimes/package.json', import.meta.url))
    const { create } = require('webgpu') as { create(options: readonly string[]): GPU }
    pinned.bareclipDawn = create([]) // collected as garbage, it would take the process with it
  }
  return pinned.bareclipDawn
}
