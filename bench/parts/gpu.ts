import { createRequire } from 'node:module'
import { refuse } from '../peers/protocol.ts'
import { epsilon, joinHeads, layerNormData, matmulData, softmaxData, splitHeads, transposed } from './data.ts'
import type { LayerNormItem, MatmulItem, SoftmaxItem } from './items.ts'
import { type PreparedPart, serveParts } from './serve.ts'

type Rows = readonly Float32Array[]

interface Kernel {
  (...values: unknown[]): unknown
  setOutput(sizes: readonly number[]): Kernel
  setConstants(values: object): Kernel
}

interface GpuJs {
  GPU: new (options: { mode: string }) => { createKernel(body: string): Kernel }
  input(values: Float32Array, size: readonly number[]): unknown
}

/** Argument: webasm or cpu. */
const mode = process.argv[2]!

try {
  const gpujs = createRequire(import.meta.url)('gpu.js') as GpuJs
  const gpu = new gpujs.GPU({ mode })
  const kernel = (body: string, output: readonly number[], constants: object) =>
    gpu.createKernel(body).setOutput(output).setConstants(constants)
  serveParts(`gpu.js, mode ${mode}`, async (item: MatmulItem | SoftmaxItem | LayerNormItem) =>
    prepare(gpujs, kernel, item),
  )
} catch (error) {
  refuse(error)
}

/** Its kernels are functions that it compiles from their text: given as text here, so that no bundler rewrites them. */
function prepare(
  { input }: GpuJs,
  kernel: (body: string, output: readonly number[], constants: object) => Kernel,
  item: MatmulItem | SoftmaxItem | LayerNormItem,
): PreparedPart {
  const join = (rows: Rows) => Float32Array.from(rows.flatMap((row) => [...row]))
  switch (item.part) {
    case 'matmul': {
      const { rows, width, features } = item
      const { x, w } = matmulData(item)
      const weight = input(transposed(w, width), [features, width])
      const product = kernel(
        `function (x, w) {
          let sum = 0
          for (let k = 0; k < this.constants.width; k++) sum += x[this.thread.y][k] * w[k][this.thread.x]
          return sum
        }`,
        [features, rows],
        { width },
      )
      return { call: () => product(input(x, [width, rows]), weight) as Rows, show: join }
    }
    case 'softmax': {
      const { heads, tokens, headDim } = item
      const constants = { tokens, headDim, scale: headDim ** -0.5 }
      const parts = splitHeads(softmaxData(item), item)
      const scores = kernel(
        `function (q, k) {
          let sum = 0
          for (let d = 0; d < this.constants.headDim; d++) sum += q[this.thread.z][this.thread.y][d] * k[this.thread.z][this.thread.x][d]
          return sum * this.constants.scale
        }`,
        [tokens, tokens, heads],
        constants,
      )
      const largest = kernel(
        `function (scores) {
          let most = scores[this.thread.y][this.thread.x][0]
          for (let j = 1; j < this.constants.tokens; j++) most = Math.max(most, scores[this.thread.y][this.thread.x][j])
          return most
        }`,
        [tokens, heads],
        constants,
      )
      const context = kernel(
        `function (scores, most, v) {
          let sum = 0
          let total = 0
          for (let j = 0; j < this.constants.tokens; j++) {
            const share = Math.exp(scores[this.thread.z][this.thread.y][j] - most[this.thread.z][this.thread.y])
            sum += share * v[this.thread.z][j][this.thread.x]
            total += share
          }
          return sum / total
        }`,
        [headDim, tokens, heads],
        constants,
      )
      return {
        call() {
          const [q, k, v] = parts.map((part) => input(part, [headDim, tokens, heads]))
          const all = scores(q, k)
          return context(all, largest(all), v) as readonly Rows[]
        },
        show: (y: readonly Rows[]) => joinHeads(join(y.flat()), item),
      }
    }
    case 'layer-norm': {
      const { rows, width } = item
      const { x, weight, bias } = layerNormData(item)
      const constants = { width, epsilon }
      const mean = kernel(
        `function (x) {
          let sum = 0
          for (let i = 0; i < this.constants.width; i++) sum += x[this.thread.x][i]
          return sum / this.constants.width
        }`,
        [rows],
        constants,
      )
      const deviation = kernel(
        `function (x, mean) {
          let sum = 0
          for (let i = 0; i < this.constants.width; i++) {
            const centred = x[this.thread.x][i] - mean[this.thread.x]
            sum += centred * centred
          }
          return Math.sqrt(sum / this.constants.width + this.constants.epsilon)
        }`,
        [rows],
        constants,
      )
      const norm = kernel(
        `function (x, mean, deviation, weight, bias) {
          return (x[this.thread.y][this.thread.x] - mean[this.thread.y]) / deviation[this.thread.y] * weight[this.thread.x] + bias[this.thread.x]
        }`,
        [width, rows],
        constants,
      )
      return {
        call() {
          const values = input(x, [width, rows])
          const means = mean(values)
          return norm(values, means, deviation(values, means), weight, bias) as Rows
        },
        show: join,
      }
    }
  }
}
