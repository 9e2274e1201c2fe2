import { refuse } from '../peers/protocol.ts'
import { epsilon, joinHeads, layerNormData, matmulData, softmaxData, splitHeads, transposed } from './data.ts'
import type { LayerNormItem, MatmulItem, SoftmaxItem } from './items.ts'
import { type PreparedPart, serveParts } from './serve.ts'

interface TfTensor {
  data(): Promise<Float32Array>
  dispose(): void
}

interface Tf {
  readonly version_core: string
  setBackend(name: string): Promise<boolean>
  ready(): Promise<void>
  tensor(values: Float32Array, shape: readonly number[]): TfTensor
  tidy(body: () => TfTensor): TfTensor
  matMul(a: TfTensor, b: TfTensor, transposeA?: boolean, transposeB?: boolean): TfTensor
  softmax(x: TfTensor, axis: number): TfTensor
  moments(x: TfTensor, axis: number, keepDims: boolean): { mean: TfTensor; variance: TfTensor }
  add(a: TfTensor, b: TfTensor | number): TfTensor
  sub(a: TfTensor, b: TfTensor): TfTensor
  mul(a: TfTensor, b: TfTensor | number): TfTensor
  div(a: TfTensor, b: TfTensor): TfTensor
  sqrt(x: TfTensor): TfTensor
}

/** Argument: wasm or cpu. */
const backend = process.argv[2]!

try {
  const [core, engine] = ['@tensorflow/tfjs-core', `@tensorflow/tfjs-backend-${backend}`]
  const tf = (await import(core)) as Tf
  const { getThreadsCount } = (await import(engine)) as { getThreadsCount?: () => number }
  await tf.setBackend(backend)
  await tf.ready()
  const threads = getThreadsCount?.() ?? 1
  const title = `@tensorflow/tfjs ${tf.version_core}, ${backend}, ${threads} threads`
  serveParts(title, async (item: MatmulItem | SoftmaxItem | LayerNormItem) => prepare(tf, item))
} catch (error) {
  refuse(error)
}

function prepare(tf: Tf, item: MatmulItem | SoftmaxItem | LayerNormItem): PreparedPart {
  const call = (body: () => TfTensor) => async () => {
    const y = tf.tidy(body)
    const values = await y.data()
    y.dispose()
    return values
  }
  switch (item.part) {
    case 'matmul': {
      const { x, w } = matmulData(item)
      const weight = tf.tensor(transposed(w, item.width), [item.width, item.features])
      return {
        call: call(() => tf.matMul(tf.tensor(x, [item.rows, item.width]), weight)),
        show: (y: Float32Array) => y,
        dispose: () => weight.dispose(),
      }
    }
    case 'softmax': {
      const { heads, tokens, headDim } = item
      const parts = splitHeads(softmaxData(item), item)
      return {
        call: call(() => {
          const [q, k, v] = parts.map((part) => tf.tensor(part, [heads, tokens, headDim]))
          return tf.matMul(tf.softmax(tf.mul(tf.matMul(q!, k!, false, true), headDim ** -0.5), -1), v!)
        }),
        show: (y: Float32Array) => joinHeads(y, item),
      }
    }
    case 'layer-norm': {
      const { x, weight, bias } = layerNormData(item)
      const [w, b] = [tf.tensor(weight, [item.width]), tf.tensor(bias, [item.width])]
      return {
        call: call(() => {
          const input = tf.tensor(x, [item.rows, item.width])
          const { mean, variance } = tf.moments(input, -1, true)
          return tf.add(tf.mul(tf.div(tf.sub(input, mean), tf.sqrt(tf.add(variance, epsilon))), w), b)
        }),
        show: (y: Float32Array) => y,
        dispose() {
          w.dispose()
          b.dispose()
        },
      }
    }
  }
}
