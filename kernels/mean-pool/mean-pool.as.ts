import { param, scratchAddress } from '../common.as'

/** Columns in a unit. */
const columnBlock: usize = 768

/**
 * One unit is `columnBlock` columns of one sequence, summed in float64 over ascending tokens.
 * Parameters: x (tokens, hidden), hidden, offsets (sequences + 1), most tokens to take of a sequence, y (sequences, hidden).
 */
export function meanPool(parameters: usize, from: i32, to: i32): void {
  const x = param(parameters, 0)
  const hidden = param(parameters, 1)
  const offsets = param(parameters, 2)
  const most = param(parameters, 3)
  const y = param(parameters, 4)
  const sums = scratchAddress() // f64, one per column
  const blocks = (hidden + columnBlock - 1) / columnBlock
  for (let unit = <usize>from; unit < <usize>to; unit++) {
    const sequence = unit / blocks
    const column = (unit % blocks) * columnBlock
    const columns = min(columnBlock, hidden - column)
    const first = <usize>load<u32>(offsets + (sequence << 2))
    const length = min(most, <usize>load<u32>(offsets + (sequence << 2), 4) - first)
    memory.fill(sums, 0, columns << 3)
    const rows = x + ((first * hidden + column) << 2)
    let t: usize = 0
    for (; t + 4 <= length; t += 4) addRows(rows + ((t * hidden) << 2), hidden << 2, columns, sums)
    for (; t < length; t++) addRow(rows + ((t * hidden) << 2), 0, columns, sums)
    const target = y + ((sequence * hidden + column) << 2)
    for (let c: usize = 0; c < columns; c++) {
      store<f32>(target + (c << 2), <f32>(load<f64>(sums + (c << 3)) / <f64>length))
    }
  }
}

/** sums (columns) += four rows, one after the other */
function addRows(row: usize, stride: usize, columns: usize, sums: usize): void {
  const row1 = row + stride
  const row2 = row1 + stride
  const row3 = row2 + stride
  let c: usize = 0
  for (; c + 2 <= columns; c += 2) {
    const at = c << 2
    const place = sums + (c << 3)
    let sum = v128.load(place)
    sum = f64x2.add(sum, f64x2.promote_low_f32x4(v128.load64_zero(row + at)))
    sum = f64x2.add(sum, f64x2.promote_low_f32x4(v128.load64_zero(row1 + at)))
    sum = f64x2.add(sum, f64x2.promote_low_f32x4(v128.load64_zero(row2 + at)))
    sum = f64x2.add(sum, f64x2.promote_low_f32x4(v128.load64_zero(row3 + at)))
    v128.store(place, sum)
  }
  if (c < columns) {
    addRow(row, c, columns, sums)
    addRow(row1, c, columns, sums)
    addRow(row2, c, columns, sums)
    addRow(row3, c, columns, sums)
  }
}

/** sums += row, from one column on */
function addRow(row: usize, from: usize, columns: usize, sums: usize): void {
  for (let c = from; c < columns; c++) {
    const place = sums + (c << 3)
    store<f64>(place, load<f64>(place) + <f64>load<f32>(row + (c << 2)))
  }
}
