import type { WasmKernel } from '../../runtime/wasm/kernel.ts'
import { panelCount } from '../../runtime/wasm/panels.ts'
import { activationCode, dtypeCode } from '../wasm-codes.ts'
import type { LinearParameters } from './linear.ts'
import { linearQuantizedWasm } from './wasm-quantized.ts'

/** As in linear.as.ts. */
const rowBlock = 48
const mostPanels = 16
/** Units of a step, if it has the work for them: so that threads end together. */
const enoughUnits = 24

/** A unit packs its rows before it multiplies them by its panels: the more panels, the smaller the share of that. */
function panelsPerUnit(blocks: number, panels: number): number {
  let count = mostPanels
  while (count > 4 && blocks * Math.ceil(panels / count) < enoughUnits) count /= 2
  return count
}

export const linearWasm: WasmKernel<LinearParameters> = (parameters, access) => {
  const { x, weight, scale, bias, activation, gate, residual, y } = parameters
  if (scale) return linearQuantizedWasm(parameters, scale, access)
  const [rows = 0, width = 0] = x.shape
  const [features = 0] = weight.shape
  const step = (out: number, target: number, gated: boolean, added: number) => {
    const panels = panelCount(out)
    const blocks = Math.ceil(rows / rowBlock)
    const panelBlock = panelsPerUnit(blocks, panels)
    return {
      entry: 'linear',
      units: blocks * Math.ceil(panels / panelBlock),
      parameters: [
        access.address(x),
        rows,
        width,
        access.address(weight),
        dtypeCode(weight.dtype),
        out,
        bias ? access.address(bias) : 0,
        activationCode(activation),
        gated ? activationCode(gate) : 0,
        added,
        target,
        panelBlock,
      ],
    }
  }
  const added = residual ? access.address(residual) : 0
  if (!gate) return [step(features, access.address(y), false, added)]
  const out = features / 2
  if (out % 8 === 0) return [step(out, access.address(y), true, added)]
  // The halves do not start at a panel: multiply first, then gate.
  const halves = access.temporary(4 * rows * features)
  const combine = {
    entry: 'linearGate',
    units: rows,
    parameters: [halves, out, activationCode(gate), added, access.address(y)],
  }
  return [step(features, halves, false, 0), combine]
}
