import { activate4 } from '../activation.as'
import { param } from '../common.as'

/**
 * One unit is `rowsPerUnit` rows: y = activation(first half) · second half.
 * Parameters: x (rows, 2 · width), rows, width, rows per unit, activation (1 GELU, 2 SiLU), y (rows, width).
 */
export function gatedLinearUnit(parameters: usize, from: i32, to: i32): void {
  const x = param(parameters, 0)
  const rows = <i32>param(parameters, 1)
  const width = param(parameters, 2)
  const rowsPerUnit = <i32>param(parameters, 3)
  const activation = param(parameters, 4)
  const y = param(parameters, 5)
  for (let row = from * rowsPerUnit, end = min(rows, to * rowsPerUnit); row < end; row++) {
    const first = x + <usize>row * (width << 3)
    const second = first + (width << 2)
    const target = y + <usize>row * (width << 2)
    let i: usize = 0
    for (; i + 4 <= width; i += 4) {
      const at = i << 2
      v128.store(target + at, f32x4.mul(activate4(activation, v128.load(first + at)), v128.load(second + at)))
    }
    for (; i < width; i++) {
      // all lanes alike, so that a value does not depend on its column
      const at = i << 2
      const gate = activate4(activation, v128.load32_splat(first + at))
      v128.store32_lane(target + at, f32x4.mul(gate, v128.load32_splat(second + at)), 0)
    }
  }
}
