import type { WasmKernel } from '../../runtime/wasm/kernel.ts'
import { rowsPerUnit } from '../wasm-units.ts'
import type { L2NormalizeParameters } from './l2-normalize.ts'

export const l2NormalizeWasm: WasmKernel<L2NormalizeParameters> = ({ x, y }, access) => {
  const [, width = 0] = x.shape
  const [rows = 0, dimensions = 0] = y.shape
  const block = rowsPerUnit(dimensions)
  return [
    {
      entry: 'l2Normalize',
      units: Math.ceil(rows / block),
      parameters: [access.address(x), rows, width, dimensions, block, access.address(y)],
    },
  ]
}
