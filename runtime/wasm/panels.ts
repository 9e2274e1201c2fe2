import type { WeightSpec } from '../device.ts'
import { bytesPerElement, type Dtype, type DtypeArray } from '../dtype.ts'
import { scaleColumns } from '../quantize.ts'
import { sizeOf } from '../shape.ts'

/**
 * How a matrix (out, in) lies in wasm memory: panels of 8 rows, the last one filled up with zeros. A panel of floats is (in, 8):
 * one load takes the same column of four rows. A panel of integer codes is (⌈in / 64⌉ · 32, 8, 2), pairs of columns side by
 * side, for i32x4.dot_i16x8_s, with zeros after the last column.
 */
export const panelRows = 8

export function panelCount(rows: number): number {
  return Math.ceil(rows / panelRows)
}

/** Elements that a packed matrix takes. */
export function packedSize(rows: number, width: number, dtype: Dtype = 'f32'): number {
  return panelCount(rows) * panelRows * (dtype === 'i8' || dtype === 'i16' ? paddedWidth(width) : width)
}

/** Bytes that a weight takes. */
export function weightBytes({ role, shape, dtype }: Pick<WeightSpec, 'role' | 'shape' | 'dtype'>): number {
  const [rows = 0, width = 0] = shape
  return bytesPerElement[dtype] * (role === 'matrix' ? packedSize(rows, width, dtype) : sizeOf(shape))
}

/** Columns of a panel of codes. */
function paddedWidth(width: number): number {
  return Math.ceil(width / scaleColumns) * scaleColumns
}

/** values: (rows, width) of a matrix, the first being row `row` → their places in the panels, of the same dtype */
export function packRows(values: DtypeArray, width: number, row: number, panels: DtypeArray): void {
  if (panels instanceof Int8Array || panels instanceof Int16Array) packCodes(values, width, row, panels)
  else packFloats(values, width, row, panels)
}

function packFloats(values: DtypeArray, width: number, row: number, panels: DtypeArray): void {
  const rows = width === 0 ? 0 : values.length / width
  for (let r = 0; r < rows; r++) {
    const n = row + r
    let at = Math.floor(n / panelRows) * panelRows * width + (n % panelRows)
    for (let k = r * width; k < (r + 1) * width; k++) {
      panels[at] = values[k]!
      at += panelRows
    }
  }
}

function packCodes(values: DtypeArray, width: number, row: number, panels: DtypeArray): void {
  const rows = width === 0 ? 0 : values.length / width
  const panelSize = panelRows * paddedWidth(width)
  for (let r = 0; r < rows; r++) {
    const n = row + r
    const end = (r + 1) * width
    let at = Math.floor(n / panelRows) * panelSize + 2 * (n % panelRows)
    for (let k = r * width; k < end; k += 2) {
      panels[at] = values[k]!
      if (k + 1 < end) panels[at + 1] = values[k + 1]!
      at += 2 * panelRows
    }
  }
}
