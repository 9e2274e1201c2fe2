import { floatBits, type WasmKernel } from '../../runtime/wasm/kernel.ts'
import { rowsPerUnit } from '../wasm-units.ts'
import type { LayerNormParameters } from './layer-norm.ts'

export const layerNormWasm: WasmKernel<LayerNormParameters> = ({ x, weight, bias, epsilon, y }, access) => {
  const [rows = 0, width = 0] = x.shape
  const block = rowsPerUnit(width)
  return [
    {
      entry: 'layerNorm',
      units: Math.ceil(rows / block),
      parameters: [
        access.address(x),
        rows,
        width,
        block,
        access.address(weight),
        access.address(bias),
        floatBits(epsilon),
        access.address(y),
      ],
    },
  ]
}
