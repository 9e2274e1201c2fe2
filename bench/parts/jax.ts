import { refuse } from '../peers/protocol.ts'
import { epsilon, joinHeads, layerNormData, matmulData, softmaxData, splitHeads, transposed } from './data.ts'
import type { LayerNormItem, MatmulItem, SoftmaxItem } from './items.ts'
import { type PreparedPart, serveParts } from './serve.ts'

interface JaxArray {
  readonly ref: JaxArray
  add(other: JaxArray | number): JaxArray
  sub(other: JaxArray): JaxArray
  mul(other: JaxArray | number): JaxArray
  div(other: JaxArray): JaxArray
  data(): Promise<Float32Array>
  dispose(): void
}

interface Jax {
  init(device: 'wasm'): Promise<readonly string[]>
  defaultDevice(device: 'wasm'): void
  jit(body: (...values: JaxArray[]) => JaxArray): (...values: JaxArray[]) => JaxArray
  numpy: {
    array(values: Float32Array, options: { shape: readonly number[] }): JaxArray
    matmul(a: JaxArray, b: JaxArray): JaxArray
    transpose(x: JaxArray, axes: readonly number[]): JaxArray
    mean(x: JaxArray, axis: number, options: { keepdims: boolean }): JaxArray
    sqrt(x: JaxArray): JaxArray
  }
  nn: { softmax(x: JaxArray, axis: number): JaxArray }
}

try {
  const name = '@jax-js/jax'
  const jax = (await import(name)) as Jax
  const devices = await jax.init('wasm') // its device cpu is an interpreter: half a minute for a small product
  if (!devices.includes('wasm')) throw new Error('it has no device wasm here')
  jax.defaultDevice('wasm')
  serveParts('@jax-js/jax, wasm, under jit', async (item: MatmulItem | SoftmaxItem | LayerNormItem) =>
    prepare(jax, item),
  )
} catch (error) {
  refuse(error)
}

/** Arguments are used up by a call; `ref` keeps one. */
function prepare(jax: Jax, item: MatmulItem | SoftmaxItem | LayerNormItem): PreparedPart {
  const { numpy: np, nn, jit } = jax
  const array = (values: Float32Array, ...shape: number[]) => np.array(values, { shape })
  switch (item.part) {
    case 'matmul': {
      const { x, w } = matmulData(item)
      const weight = array(transposed(w, item.width), item.width, item.features)
      const product = jit((x, w) => np.matmul(x!, w!))
      return {
        call: () => product(array(x, item.rows, item.width), weight.ref).data(),
        show: (y: Float32Array) => y,
        dispose: () => weight.dispose(),
      }
    }
    case 'softmax': {
      const { heads, tokens, headDim } = item
      const parts = splitHeads(softmaxData(item), item)
      const combined = jit((q, k, v) => {
        const scores = np.matmul(q!, np.transpose(k!, [0, 2, 1])).mul(headDim ** -0.5)
        return np.matmul(nn.softmax(scores, -1), v!)
      })
      return {
        call: () => combined(...parts.map((part) => array(part, heads, tokens, headDim))).data(),
        show: (y: Float32Array) => joinHeads(y, item),
      }
    }
    case 'layer-norm': {
      const { x, weight, bias } = layerNormData(item)
      const [w, b] = [array(weight, item.width), array(bias, item.width)]
      const keep = { keepdims: true }
      const norm = jit((x, w, b) => {
        const centred = x!.ref.sub(np.mean(x!, -1, keep))
        const variance = np.mean(centred.ref.mul(centred.ref), -1, keep)
        return centred
          .div(np.sqrt(variance.add(epsilon)))
          .mul(w!)
          .add(b!)
      })
      return {
        call: () => norm(array(x, item.rows, item.width), w.ref, b.ref).data(),
        show: (y: Float32Array) => y,
        dispose() {
          w.dispose()
          b.dispose()
        },
      }
    }
  }
}
