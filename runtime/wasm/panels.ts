import type { WeightSpec } from '../device.ts'
import { bytesPerElement, type DtypeArray } from '../dtype.ts'
import { sizeOf } from '../shape.ts'

/**
 * How a matrix (out, in) lies in wasm memory: panels of 8 rows, each (in, 8), so that one load takes the same column of four
 * rows. The last panel is filled up with zeros.
 */
export const panelRows = 8

export function panelCount(rows: number): number {
  return Math.ceil(rows / panelRows)
}

/** Elements that a packed matrix takes. */
export function packedSize(rows: number, width: number): number {
  return panelCount(rows) * panelRows * width
}

/** Bytes that a weight takes. */
export function weightBytes({ role, shape, dtype }: Pick<WeightSpec, 'role' | 'shape' | 'dtype'>): number {
  const [rows = 0, width = 0] = shape
  return bytesPerElement[dtype] * (role === 'matrix' ? packedSize(rows, width) : sizeOf(shape))
}

/** values: (rows, width) of a matrix, the first being row `row` → their places in the panels */
export function packRows(values: DtypeArray, width: number, row: number, panels: DtypeArray): void {
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
