import { arrayOf, bytesPerElement, convert, type Dtype, type DtypeArray, typedView } from '../dtype.ts'
import { invariant } from '../errors.ts'
import type { Heap } from './heap.ts'
import { packedSize, packRows, panelRows } from './panels.ts'
import type { WasmEntry } from './slices.ts'

/** Brings weights into wasm memory, converted and packed there. */
export interface Writer {
  /** values → the elements of dtype `to` at a byte address */
  elements(from: Dtype, values: DtypeArray, to: Dtype, address: number): void
  /** values: (rows, width), the first being row `row` of a matrix (matrixRows, width) of dtype `to` → its panels at a byte address */
  rows(from: Dtype, values: DtypeArray, to: Dtype, place: PanelPlace): void
}

export interface PanelPlace {
  readonly address: number
  readonly matrixRows: number
  readonly width: number
  readonly row: number
}

/** Elements that pass through at once: what is copied in is still in the processor's cache when it is packed. */
const piece = 32768
/** Two pieces and the parameters of a step. */
const parameterBytes = 64

/** Throws OUT_OF_MEMORY. */
export async function createWriter(module: WebAssembly.Module, heap: Heap): Promise<Writer> {
  const { memory } = heap
  const parameters = heap.take(parameterBytes + 8 * piece, 'the stage of weights')
  const first = parameters + parameterBytes
  const second = first + 4 * piece
  const { exports } = await WebAssembly.instantiate(module, { env: { memory } })
  const call = (entry: string, units: number, words: readonly number[]) => {
    new Int32Array(memory.buffer, parameters, words.length).set(words)
    ;(exports[entry] as WasmEntry)(parameters, 0, units)
  }
  const view = (dtype: Dtype, address: number, length: number) => typedView(dtype, memory.buffer, address, length)
  const stage = (dtype: Dtype, values: DtypeArray) => view(dtype, first, values.length).set(values)
  const converted = (from: Dtype, to: Dtype, length: number, address: number) =>
    call('convertElements', Math.ceil(length / convertBlock), [first, code(from), address, code(to), length])

  return {
    elements(from, values, to, address) {
      if (from === to) {
        view(to, address, values.length).set(values)
        return
      }
      for (let at = 0; at < values.length; at += piece) {
        const part = values.subarray(at, at + piece)
        stage(from, part)
        converted(from, to, part.length, address + at * bytesPerElement[to])
      }
    },
    rows(from, values, to, { address, matrixRows, width, row }) {
      if (width === 0) return
      if (to === 'i8' || to === 'i16') {
        invariant(from === to, `codes are written as they are: ${from} into ${to}`)
        packRows(values, width, row, view(to, address, packedSize(matrixRows, width, to)))
        return
      }
      const most = Math.floor(piece / width)
      const bytes = bytesPerElement[to]
      if (most === 0) {
        const target = view(to, address, packedSize(matrixRows, width))
        packRows(integers(convertedCopy(from, values, to)), width, row, integers(target))
        return
      }
      const end = row + values.length / width
      for (let start = row; start < end; ) {
        // Pieces end where panels end, if they can.
        const limit = start + most
        const stop = Math.min(end, most < panelRows ? limit : limit - (limit % panelRows))
        const part = values.subarray((start - row) * width, (stop - row) * width)
        stage(from, part)
        if (from !== to) converted(from, to, part.length, second)
        const units = Math.ceil(stop / panelRows) - Math.floor(start / panelRows)
        call('packPanels', units, [from === to ? first : second, stop - start, width, start, address, bytes])
        start = stop
      }
    },
  }
}

/** As in kernels/cast/cast.as.ts, which the module exports once more as `convertElements`. */
const convertBlock = 16384
const code = (dtype: Dtype) => ['f32', 'f16', 'bf16', 'i8', 'i32'].indexOf(dtype)

/** JavaScript may change the bits of a float32 NaN that it moves. */
function integers(values: DtypeArray): DtypeArray {
  return values instanceof Float32Array ? new Int32Array(values.buffer, values.byteOffset, values.length) : values
}

function convertedCopy(from: Dtype, values: DtypeArray, to: Dtype): DtypeArray {
  const target = arrayOf(to, values.length)
  convert(from, values, to, target)
  return target
}
