import type { WasmKernel } from '../../runtime/wasm/kernel.ts'
import type { MeanPoolParameters } from './mean-pool.ts'

/** As in mean-pool.as.ts. */
const columnBlock = 768

export const meanPoolWasm: WasmKernel<MeanPoolParameters> = ({ x, batch, count, y }, access) => {
  const [sequences = 0, hidden = 0] = y.shape
  const { tokens } = batch.host
  return [
    {
      entry: 'meanPool',
      units: sequences * Math.ceil(hidden / columnBlock),
      parameters: [
        access.address(x),
        hidden,
        access.address(batch.offsets),
        Math.min(count ?? tokens, tokens),
        access.address(y),
      ],
    },
  ]
}
