import { createRequire } from 'node:module'
import { describeAdapter } from '../../runtime/webgpu/open.ts'
import { softwareNote } from '../software.ts'

/** Collected as garbage, Dawn's GPU would take the process with it. */
const pinned = globalThis as { bareclipPeerGpu?: GPU }

/** Dawn's, which `navigator.gpu` is from then on, with the options of DAWN_OPTS, split at semicolons. path: of the package webgpu */
export function dawnGpu(path: string): GPU {
  const { create, globals } = createRequire(import.meta.url)(path) as {
    create(options: readonly string[]): GPU
    globals: object
  }
  const gpu = create((process.env.DAWN_OPTS ?? '').split(';').filter((option) => option !== ''))
  pinned.bareclipPeerGpu = gpu
  Object.assign(globalThis, globals)
  const { navigator } = globalThis as { navigator?: Navigator } // Node 20 has none
  if (navigator) Object.defineProperty(navigator, 'gpu', { value: gpu, configurable: true })
  else Object.defineProperty(globalThis, 'navigator', { value: { gpu, userAgent: 'Node' }, configurable: true })
  return gpu
}

/** What is behind it. Rejects where there is none. */
export async function adapterTitle(gpu: GPU): Promise<string> {
  const found = await gpu.requestAdapter({ powerPreference: 'high-performance' })
  if (!found) throw new Error('WebGPU finds no adapter here')
  const { adapter, traits } = describeAdapter(found.info)
  return traits.software ? `${adapter}: ${softwareNote}` : adapter
}
