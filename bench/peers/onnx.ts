import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { adapterTitle, dawnGpu } from './dawn.ts'
import { type OnnxPlace, type Ort, onnxFiles, onnxPrepared } from './onnx-session.ts'
import { refuse, serve } from './protocol.ts'

/** Arguments: web, node or webgpu, a folder with the graphs and model.safetensors, f32, f16 or q8, threads, the package webgpu. */
const [kind, folder, dtype, threads, dawn] = process.argv.slice(2) as [string, string, string, string, string]

try {
  const gpu = kind === 'webgpu' ? dawnGpu(dawn) : undefined // before onnxruntime looks for it
  const name = { web: 'onnxruntime-web', node: 'onnxruntime-node', webgpu: 'onnxruntime-web/webgpu' }[kind]!
  const ort = (await import(name)) as Ort
  if (kind !== 'node') ort.env.wasm.numThreads = kind === 'web' ? Number(threads) : 1
  const where = gpu ? await adapterTitle(gpu) : `${threads} threads`
  serve(`${name} ${ort.env.versions.common}, ${dtype}, ${where}`, onnxPrepared(ort, place(ort)))
} catch (error) {
  refuse(error)
}

function place({ InferenceSession }: Ort): OnnxPlace {
  const read = (name: string) => new Uint8Array(readFileSync(join(folder, name)))
  return {
    async preprocessor() {
      return JSON.parse(readFileSync(join(folder, 'preprocessor_config.json'), 'utf8'))
    },
    async open(tower) {
      const { graph, external } = onnxFiles(tower, dtype)
      if (kind === 'node') {
        const options = { intraOpNumThreads: Number(threads), interOpNumThreads: 1 }
        return InferenceSession.create(join(folder, graph), options)
      }
      return InferenceSession.create(read(graph), {
        externalData: [external(read('model.safetensors'))],
        ...(kind === 'webgpu' && { executionProviders: ['webgpu'] }),
      })
    },
  }
}
