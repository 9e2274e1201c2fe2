import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type PeerCase, tokenId } from './cases.ts'
import { serve } from './protocol.ts'

interface Ort {
  env: { wasm: { numThreads: number } }
  Tensor: new (type: string, data: unknown, shape: number[]) => unknown
  InferenceSession: { create(graph: unknown, options: object): Promise<{ run(feeds: object): Promise<object> }> }
}

/** kind: 'web' or 'node'. The graphs point into the model.safetensors that `synth --size full` writes. */
const [kind, folder, threads] = process.argv.slice(2) as [string, string, string]
const ort = (await import(`onnxruntime-${kind}`)) as Ort
const graphs = fileURLToPath(new URL('graphs/', import.meta.url))
const weights = join(folder, 'model.safetensors')
if (kind === 'web') ort.env.wasm.numThreads = Number(threads)
const bytes = kind === 'web' ? new Uint8Array(readFileSync(weights)) : undefined
const open = (name: string) =>
  bytes
    ? ort.InferenceSession.create(new Uint8Array(readFileSync(join(graphs, name))), {
        externalData: [{ path: 'model.safetensors', data: bytes }],
      })
    : ort.InferenceSession.create(join(folder, name), { intraOpNumThreads: Number(threads), interOpNumThreads: 1 })
const text = await open('text.onnx')
const vision = await open('vision.onnx')

/** As transformers.js does: a batch is padded to its longest text. */
serve(`onnxruntime-${kind}, f32, ${threads} threads`, async ({ lengths, images }: PeerCase) => {
  if (images) {
    const size = images * 3 * 224 * 224
    const pixels = Float32Array.from({ length: size }, (_, i) => Math.sin(i))
    return void (await vision.run({ pixel_values: new ort.Tensor('float32', pixels, [images, 3, 224, 224]) }))
  }
  const rows = lengths!.length
  const longest = Math.max(...lengths!)
  const ids = new BigInt64Array(rows * longest)
  const mask = new BigInt64Array(rows * longest)
  lengths!.forEach((n, t) => {
    for (let i = 0; i < n; i++) {
      ids[t * longest + i] = BigInt(tokenId(t, i))
      mask[t * longest + i] = 1n
    }
  })
  const shape = [rows, longest]
  await text.run({
    input_ids: new ort.Tensor('int64', ids, shape),
    attention_mask: new ort.Tensor('int64', mask, shape),
  })
})
