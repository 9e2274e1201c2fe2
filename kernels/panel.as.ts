import { f16x4 } from './half.as'

/**
 * One panel (width, 8) of a matrix as f32: its own address if it is stored so, else `target`, where it is unpacked to.
 * dtype: 0 f32, 1 f16, 2 bf16
 */
export function loadPanel(panel: usize, dtype: usize, width: usize, target: usize): usize {
  if (dtype == 0) return panel
  for (let i: usize = 0, end = width << 5; i < end; i += 16) {
    const halves = v128.load64_zero(panel + (i >> 1))
    v128.store(target + i, dtype == 1 ? f16x4(halves) : i32x4.shl(i32x4.extend_low_i16x8_u(halves), 16))
  }
  return target
}
