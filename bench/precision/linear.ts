import { activate } from '../../kernels/activation.ts'
import type { LinearParameters } from '../../kernels/linear/linear.ts'
import type { ReferenceKernel } from '../../runtime/reference/kernel.ts'
import { productBinary } from './product.generated.ts'

/** y (rows, 4) = x (rows, width) · w (width, 4) in float64; addresses in bytes, rows a multiple of 4 */
type Product = (x: number, w: number, y: number, rows: number, width: number) => void

const pageBytes = 65_536

/** `linear` of the reference device, eight times as fast and in float64 throughout. Weights in f32, f16 or bf16. */
export function createLinearFloat64(): ReferenceKernel<LinearParameters> {
  const memory = new WebAssembly.Memory({ initial: 1 })
  const bytes = Uint8Array.from(atob(productBinary), (letter) => letter.charCodeAt(0))
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } })
  const product = exports.product as Product

  return ({ x, weight, bias, activation, gate, residual, y }, access) => {
    const [rows = 0, width = 0] = x.shape
    const out = y.shape[1] ?? 0
    const padded = Math.ceil(rows / 4) * 4
    const wAt = padded * width
    const yAt = wAt + width * 4
    const needed = 8 * (yAt + padded * 4)
    if (memory.buffer.byteLength < needed) memory.grow(Math.ceil((needed - memory.buffer.byteLength) / pageBytes))
    const xs = access.f32(x)
    const ws = access.floats(weight)
    const shift = bias && access.f32(bias)
    const added = residual && access.f32(residual)
    const ys = access.f32(y)
    const heap = new Float64Array(memory.buffer)
    heap.set(xs)
    const row = new Float32Array(width)
    const gated = new Float64Array(gate ? padded * 4 : 0)

    /** Four columns from `first` on; past the last one the rows of the weight before are left standing. */
    const columns = (first: number, count: number) => {
      for (let c = 0; c < count; c++) {
        ws.copy((first + c) * width, width, row)
        for (let k = 0; k < width; k++) heap[wAt + k * 4 + c] = row[k]!
      }
      product(0, 8 * wAt, 8 * yAt, padded, width)
    }
    return {
      units: Math.ceil(out / 4),
      run(from, to) {
        for (let unit = from; unit < to; unit++) {
          const first = unit * 4
          const count = Math.min(4, out - first)
          if (gate) {
            columns(first + out, count)
            gated.set(heap.subarray(yAt, yAt + gated.length))
          }
          columns(first, count)
          for (let r = 0; r < rows; r++) {
            for (let c = 0; c < count; c++) {
              const n = first + c
              let value = heap[yAt + r * 4 + c]! + (shift ? shift[n]! : 0)
              if (activation) value = activate(activation, value)
              if (gate) value = activate(gate, value) * (gated[r * 4 + c]! + (shift ? shift[n + out]! : 0))
              const target = r * out + n
              ys[target] = added ? value + added[target]! : value
            }
          }
        }
      },
    }
  }
}
