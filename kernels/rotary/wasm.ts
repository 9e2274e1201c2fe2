import type { WasmKernel } from '../../runtime/wasm/kernel.ts'
import { rowsPerUnit } from '../wasm-units.ts'
import type { RotaryParameters } from './rotary.ts'

export const rotaryWasm: WasmKernel<RotaryParameters> = ({ x, heads, headDim, positions, cos, sin }, access) => {
  const [tokens = 0, columns = 0] = x.shape
  const block = rowsPerUnit(heads * headDim)
  return [
    {
      entry: 'rotary',
      units: Math.ceil(tokens / block),
      parameters: [
        access.address(x),
        tokens,
        columns,
        heads,
        headDim,
        block,
        access.address(positions),
        access.address(cos),
        access.address(sin),
      ],
    },
  ]
}
