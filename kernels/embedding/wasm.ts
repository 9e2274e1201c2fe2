import { floatBits, type WasmKernel } from '../../runtime/wasm/kernel.ts'
import { dtypeCode } from '../wasm-codes.ts'
import { rowsPerUnit } from '../wasm-units.ts'
import type { EmbeddingParameters } from './embedding.ts'

export const embeddingWasm: WasmKernel<EmbeddingParameters> = (
  { ids, word, type, weight, bias, epsilon, y },
  access,
) => {
  const [tokens = 0, hidden = 0] = y.shape
  const block = rowsPerUnit(hidden)
  return [
    {
      entry: 'embedding',
      units: Math.ceil(tokens / block),
      parameters: [
        access.address(ids),
        tokens,
        hidden,
        block,
        access.address(word),
        dtypeCode(word.dtype),
        access.address(type),
        dtypeCode(type.dtype),
        access.address(weight),
        access.address(bias),
        floatBits(epsilon),
        access.address(y),
      ],
    },
  ]
}
