import { invariant } from '../../runtime/errors.ts'
import type { WasmKernel } from '../../runtime/wasm/kernel.ts'
import { activationCode, dtypeCode } from '../wasm-codes.ts'
import type { LinearParameters } from './linear.ts'
import { linearQuantizedWasm } from './wasm-quantized.ts'

/** As in linear.as.ts. */
const rowBlock = 48
const panelBlock = 4

/** Two unpacked panels have to fit the scratch memory of a thread. */
const widest = 16_000

export const linearWasm: WasmKernel<LinearParameters> = (parameters, access) => {
  const { x, weight, scale, bias, activation, gate, residual, y } = parameters
  if (scale) return linearQuantizedWasm(parameters, scale, access)
  const [rows = 0, width = 0] = x.shape
  const [features = 0] = weight.shape
  invariant(
    weight.dtype === 'f32' || width <= widest,
    `linear: ${weight.label} is ${width} wide, ${weight.dtype} goes to ${widest}`,
  )
  const step = (out: number, target: number, gated: boolean, added: number) => ({
    entry: 'linear',
    units: Math.ceil(rows / rowBlock) * Math.ceil(Math.ceil(out / 8) / panelBlock),
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
    ],
  })
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
