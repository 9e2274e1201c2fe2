import { load } from '../../index.ts'
import type { BenchCase } from '../cases.ts'
import { type Measured, measure, type Prepare } from './measure.ts'
import { type OnnxPlace, type Ort, onnxFiles, onnxPrepared } from './onnx-session.ts'
import { oursPrepared } from './ours-prepared.ts'

/** In a page that chromium.ts serves and calls. */
export interface PeerPage {
  /** What the adapter says of itself; undefined where there is none. */
  adapter(): Promise<
    Pick<GPUAdapterInfo, 'vendor' | 'architecture' | 'device' | 'description' | 'isFallbackAdapter'> | undefined
  >
  /** → what it is */
  start(which: 'ours' | 'onnx', dtype: string): Promise<string>
  ask(item: BenchCase, rows: boolean): Promise<Measured>
}

let prepare: Prepare | undefined

const page: PeerPage = {
  async adapter() {
    const found = await navigator.gpu?.requestAdapter({ powerPreference: 'high-performance' })
    if (!found) return undefined
    const { vendor, architecture, device, description, isFallbackAdapter } = found.info
    return { vendor, architecture, device, description, isFallbackAdapter }
  },
  async start(which, dtype) {
    if (which === 'ours') {
      const clip = await load(new URL('/model/', location.href), { device: 'webgpu', dtype: dtype as 'f32' })
      prepare = oursPrepared(clip)
      return `${dtype}, ${Object.values(clip.info.variants).join(', ')}`
    }
    const ort = (await import(new URL('/ort/ort.webgpu.bundle.min.mjs', location.href).href)) as Ort
    ort.env.wasm.numThreads = 1
    ort.env.wasm.wasmPaths = '/ort/'
    prepare = onnxPrepared(ort, place(ort, dtype))
    return `onnxruntime-web ${ort.env.versions.common}, ${dtype}`
  },
  ask: (item, rows) => measure(prepare!, item, rows),
}
Object.assign(globalThis, { peerPage: page })

function place({ InferenceSession }: Ort, dtype: string): OnnxPlace {
  const bytes = async (path: string) => new Uint8Array(await (await fetch(path)).arrayBuffer())
  return {
    preprocessor: async () => (await fetch('/model/preprocessor_config.json')).json(),
    async open(tower) {
      const { graph, external } = onnxFiles(tower, dtype)
      return InferenceSession.create(await bytes(`/graphs/${graph}`), {
        externalData: [external(await bytes('/model/model.safetensors'))],
        executionProviders: ['webgpu'],
      })
    },
  }
}
