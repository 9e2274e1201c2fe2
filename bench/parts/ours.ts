import { readFileSync } from 'node:fs'
import { chooseDevice } from '../../clip/choose-device.ts'
import { attention } from '../../kernels/attention/attention.ts'
import { batchInputs } from '../../kernels/case.ts'
import { layerNorm } from '../../kernels/layer-norm/layer-norm.ts'
import { linear } from '../../kernels/linear/linear.ts'
import { decodeImage } from '../../loaders/image/image.ts'
import { openSafetensors } from '../../loaders/safetensors/safetensors.ts'
import { createTokenizer } from '../../loaders/tokenizer/tokenizer.ts'
import { openFile } from '../../platform/node.ts'
import { equalBatch } from '../../runtime/batch.ts'
import type { Device, Scope } from '../../runtime/device.ts'
import type { Tensor } from '../../runtime/tensor.ts'
import { refuse } from '../peers/protocol.ts'
import { checksum, epsilon, flat, layerNormData, matmulData, softmaxData } from './data.ts'
import type { PartItem } from './items.ts'
import { type PreparedPart, serveParts } from './serve.ts'

/** Argument: threads. */
const threads = Number(process.argv[2])

try {
  const { device } = await chooseDevice({ device: 'wasm', threads })
  const variants = Object.values(device.info.variants).join(', ')
  serveParts(`wasm, ${device.info.threads} threads, ${variants}`, (item: PartItem) => prepare(device, item))
} catch (error) {
  refuse(error)
}

async function prepare(device: Device, item: PartItem): Promise<PreparedPart> {
  switch (item.part) {
    case 'matmul': {
      const { rows, width, features } = item
      const { x, w } = matmulData(item)
      const weight = device.allocate({ label: 'w', role: 'matrix', shape: [features, width], dtype: 'f32' })
      await device.write(weight, 'f32', w)
      return pass(device, [weight], (scope) => linear(scope, scope.input('x', 'f32', [rows, width], x), { weight }))
    }
    case 'softmax': {
      const { tokens, heads, headDim } = item
      const values = softmaxData(item)
      return pass(device, [], (scope) => {
        const qkv = scope.input('qkv', 'f32', [tokens, 3 * heads * headDim], values)
        return attention(scope, {
          qkv,
          batch: batchInputs(scope, equalBatch(1, tokens)),
          heads,
          scale: headDim ** -0.5,
        })
      })
    }
    case 'layer-norm': {
      const { rows, width } = item
      const data = layerNormData(item)
      const [weight, bias] = (['weight', 'bias'] as const).map((label) =>
        device.allocate({ label, role: 'vector', shape: [width], dtype: 'f32' }),
      ) as [Tensor, Tensor]
      await device.write(weight, 'f32', data.weight)
      await device.write(bias, 'f32', data.bias)
      return pass(device, [weight, bias], (scope) =>
        layerNorm(scope, scope.input('x', 'f32', [rows, width], data.x), { weight, bias, epsilon }),
      )
    }
    case 'safetensors':
      return {
        async call() {
          const source = await openFile(item.file)
          try {
            const file = await openSafetensors(source)
            const tensors: Uint8Array[] = []
            for (const name of file.tensors.keys()) tensors.push(await file.read(name))
            return tensors
          } finally {
            await source.close()
          }
        },
        show: (tensors: Uint8Array[]) => Float64Array.from(tensors, checksum),
      }
    case 'jpeg':
    case 'png': {
      const bytes = new Uint8Array(readFileSync(item.file))
      const show = ({ data }: { data: Uint8Array | Uint8ClampedArray }) => Uint8Array.from(data)
      return { call: () => decodeImage(bytes), show }
    }
    case 'tokenizer': {
      const tokenizer = createTokenizer(JSON.parse(readFileSync(item.file, 'utf8')))
      return { call: () => item.texts.map((text) => tokenizer.encode(text).ids), show: flat }
    }
  }
}

/** From the host's numbers to the host's numbers. */
function pass(device: Device, weights: readonly Tensor[], record: (scope: Scope) => Tensor): PreparedPart {
  return {
    async call() {
      const scope = device.scope()
      try {
        const y = scope.output(record(scope))
        await device.run(scope)
        return (await device.read(y)) as Float32Array
      } finally {
        scope.end()
      }
    },
    show: (y: Float32Array) => y,
    dispose: () => weights.forEach(device.free),
  }
}
