import type { WasmKernel } from '../../runtime/wasm/kernel.ts'
import { activationCode } from '../wasm-codes.ts'
import { rowsPerUnit } from '../wasm-units.ts'
import type { GatedLinearUnitParameters } from './gated-linear-unit.ts'

export const gatedLinearUnitWasm: WasmKernel<GatedLinearUnitParameters> = ({ x, activation, y }, access) => {
  const [rows = 0, width = 0] = y.shape
  const block = rowsPerUnit(width)
  return [
    {
      entry: 'gatedLinearUnit',
      units: Math.ceil(rows / block),
      parameters: [access.address(x), rows, width, block, activationCode(activation), access.address(y)],
    },
  ]
}
