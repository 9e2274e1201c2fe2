import type { Tensor } from '../../runtime/tensor.ts'
import type { WasmAccess, WasmStep } from '../../runtime/wasm/kernel.ts'
import { activationCode } from '../wasm-codes.ts'
import { rowsPerUnit } from '../wasm-units.ts'
import type { LinearParameters } from './linear.ts'
import { activationLimit } from './quantized.ts'

/** As in quantized.as.ts. */
const rowBlock = 48
const panelBlock = 4
const groupRows = 4

/** `linear` on codes: scale is that of an i8 or i16 weight. */
export function linearQuantizedWasm(parameters: LinearParameters, scale: Tensor, access: WasmAccess): WasmStep[] {
  const { x, weight, bias, activation, gate, residual, y } = parameters
  const [rows = 0, width = 0] = x.shape
  const [features = 0] = weight.shape
  const blocks = scale.shape[1] ?? 0
  const groups = Math.ceil(rows / groupRows)
  const codes = access.temporary(groups * groupRows * blocks * 64 * 2)
  const rowScales = access.temporary(rows * 4)
  const groupsPerUnit = Math.ceil(rowsPerUnit(width) / groupRows)
  const quantize = {
    entry: 'quantizeRows',
    units: Math.ceil(groups / groupsPerUnit),
    parameters: [
      access.address(x),
      rows,
      width,
      groupsPerUnit * groupRows,
      activationLimit(weight.dtype),
      codes,
      rowScales,
    ],
  }
  const multiply = (out: number, target: number, gated: boolean, added: number) => ({
    entry: 'linearQuantized',
    units: Math.ceil(rows / rowBlock) * Math.ceil(Math.ceil(out / 8) / panelBlock),
    parameters: [
      codes,
      rowScales,
      rows,
      blocks,
      access.address(weight),
      weight.dtype === 'i8' ? 1 : 2,
      access.address(scale),
      out,
      bias ? access.address(bias) : 0,
      activationCode(activation),
      gated ? activationCode(gate) : 0,
      added,
      target,
      1, // blocks of 64 columns between emptyings
    ],
  })
  const added = residual ? access.address(residual) : 0
  if (!gate) return [quantize, multiply(features, access.address(y), false, added)]
  const out = features / 2
  if (out % 8 === 0) return [quantize, multiply(out, access.address(y), true, added)]
  // The halves do not start at a panel: multiply first, then gate.
  const halves = access.temporary(4 * rows * features)
  const combine = {
    entry: 'linearGate',
    units: rows,
    parameters: [halves, out, activationCode(gate), added, access.address(y)],
  }
  return [quantize, multiply(features, halves, false, 0), combine]
}
