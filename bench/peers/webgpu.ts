import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Contender, type ContenderOptions, createContender, missingContender } from './contender.ts'
import type { Stage } from './stage.ts'

/** Where WebGPU runs: Dawn in Node (the webgpu package), or a headless Chromium. */
export const gpuPlaces = ['dawn', 'chromium'] as const
export type GpuPlace = (typeof gpuPlaces)[number]

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const runtimes = createRequire(here('../../spec/runtimes/package.json'))

/** Of spec/runtimes; undefined where it is not installed. */
function packageFolder(name: string): string | undefined {
  try {
    return dirname(runtimes.resolve(`${name}/package.json`))
  } catch {
    return undefined
  }
}

/** Ours and onnxruntime's WebGPU provider in one place, on the same adapter. */
export function webgpuContenders(
  stage: Stage,
  folder: string,
  place: GpuPlace,
  dtype: 'f32' | 'f16',
  options: ContenderOptions,
): { readonly ours: Contender; readonly peer: Contender } {
  const [oursName, peerName] = [`ours-webgpu-${dtype} (${place})`, `onnxruntime-webgpu-${dtype} (${place})`]
  const make = (name: string, program: string, args: readonly string[]) =>
    createContender({ ...options, name, file: join(stage.folder, program), args })
  const [needed, brought] = place === 'dawn' ? ['webgpu', 'webgpu'] : ['playwright-core', 'a headless Chromium']
  const tool = packageFolder(needed!)
  if (tool === undefined) {
    const how = `not installed (${brought}): npm install --prefix spec/runtimes`
    return { ours: missingContender(oursName, how), peer: missingContender(peerName, how) }
  }
  const ort = here('node_modules/onnxruntime-web')
  const why = existsSync(ort) ? undefined : 'not installed: npm install --ignore-scripts --prefix bench/peers'
  const model = resolve(folder)
  if (place === 'dawn') {
    return {
      ours: make(oursName, 'ours.mjs', [model, dtype, '1', tool]),
      peer: why
        ? missingContender(peerName, why)
        : make(peerName, 'onnx.mjs', ['webgpu', stage.folder, dtype, '1', tool]),
    }
  }
  const args = [dtype, model, stage.folder, ort, tool]
  return {
    ours: make(oursName, 'chromium.mjs', ['ours', ...args]),
    peer: why ? missingContender(peerName, why) : make(peerName, 'chromium.mjs', ['onnx', ...args]),
  }
}
