import { activate4 } from '../activation.as'

// What `linear` does to rows of 8 sums: bias, activation or gate, residual. Lanes are computed alike, whichever function does it.

/** count rows of 8 in place: activation(y + bias) + residual */
export function finish(count: i32, y: usize, stride: usize, bias: usize, activation: usize, residual: usize, rStride: usize): void {
  const b0 = bias ? v128.load(bias) : f32x4.splat(0)
  const b1 = bias ? v128.load(bias, 16) : f32x4.splat(0)
  if (!bias && !activation && !residual) return
  for (let r = 0; r < count; r++) {
    let low = activate4(activation, f32x4.add(v128.load(y), b0))
    let high = activate4(activation, f32x4.add(v128.load(y, 16), b1))
    if (residual) {
      low = f32x4.add(low, v128.load(residual))
      high = f32x4.add(high, v128.load(residual, 16))
      residual += rStride
    }
    store8(y, low, high)
    y += stride
  }
}

/** The same for the last panel: count rows of 8 in scratch, of which `columns` exist → place. Lanes are computed alike. */
export function finishTail(count: i32, y: usize, columns: i32, bias: usize, activation: usize, residual: usize, place: usize, stride: usize): void {
  for (let r = 0; r < count; r++) {
    for (let c = 0; c < columns; c++) {
      let value = f32x4.splat(load<f32>(y + (<usize>c << 2)))
      value = f32x4.add(value, bias ? v128.load32_splat(bias + (<usize>c << 2)) : f32x4.splat(0))
      value = activate4(activation, value)
      if (residual) value = f32x4.add(value, v128.load32_splat(residual + (<usize>c << 2)))
      v128.store32_lane(place + (<usize>c << 2), value, 0)
    }
    y += 32
    place += stride
    residual = residual ? residual + stride : 0
  }
}

/** count rows of 8 in place: gate(y + bias) · (second + bias of the second half); second: rows of 8, packed */
export function combine(count: i32, y: usize, stride: usize, bias: usize, column: i32, out: i32, gate: usize, second: usize): void {
  const low = bias + (<usize>column << 2)
  const high = low + (<usize>out << 2)
  for (let r = 0; r < count; r++) {
    for (let half: usize = 0; half < 32; half += 16) {
      let a = v128.load(y + half)
      let b = v128.load(second + half)
      if (bias) {
        a = f32x4.add(a, v128.load(low + half))
        b = f32x4.add(b, v128.load(high + half))
      }
      v128.store(y + half, f32x4.mul(activate4(gate, a), b))
    }
    y += stride
    second += 32
  }
}

/** count rows of 8 in place: y + residual */
export function add(count: i32, y: usize, stride: usize, residual: usize, rStride: usize): void {
  for (let r = 0; r < count; r++) {
    store8(y, f32x4.add(v128.load(y), v128.load(residual)), f32x4.add(v128.load(y, 16), v128.load(residual, 16)))
    y += stride
    residual += rStride
  }
}

@inline
export function store8(y: usize, low: v128, high: v128): void {
  v128.store(y, low)
  v128.store(y, high, 16)
}
