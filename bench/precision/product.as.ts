// Compiled by scripts/build-wasm.mjs: what makes float64 embeddings of a full-size model a matter of minutes.

/**
 * y (rows, 4) = x (rows, width) · w (width, 4), all float64; each sum in one chain over ascending k. rows: a multiple of 4
 */
export function product(x: usize, w: usize, y: usize, rows: i32, width: i32): void {
  const stride = <usize>width << 3
  for (let row = 0; row < rows; row += 4) {
    let x0 = x + <usize>row * stride
    const end = x0 + stride
    let panel = w
    let a0 = f64x2.splat(0)
    let a1 = f64x2.splat(0)
    let b0 = f64x2.splat(0)
    let b1 = f64x2.splat(0)
    let c0 = f64x2.splat(0)
    let c1 = f64x2.splat(0)
    let d0 = f64x2.splat(0)
    let d1 = f64x2.splat(0)
    while (x0 < end) {
      const w0 = v128.load(panel)
      const w1 = v128.load(panel, 16)
      const a = v128.load64_splat(x0)
      a0 = f64x2.add(a0, f64x2.mul(a, w0))
      a1 = f64x2.add(a1, f64x2.mul(a, w1))
      const b = v128.load64_splat(x0 + stride)
      b0 = f64x2.add(b0, f64x2.mul(b, w0))
      b1 = f64x2.add(b1, f64x2.mul(b, w1))
      const c = v128.load64_splat(x0 + 2 * stride)
      c0 = f64x2.add(c0, f64x2.mul(c, w0))
      c1 = f64x2.add(c1, f64x2.mul(c, w1))
      const d = v128.load64_splat(x0 + 3 * stride)
      d0 = f64x2.add(d0, f64x2.mul(d, w0))
      d1 = f64x2.add(d1, f64x2.mul(d, w1))
      x0 += 8
      panel += 32
    }
    v128.store(y, a0)
    v128.store(y, a1, 16)
    v128.store(y, b0, 32)
    v128.store(y, b1, 48)
    v128.store(y, c0, 64)
    v128.store(y, c1, 80)
    v128.store(y, d0, 96)
    v128.store(y, d1, 112)
    y += 128
  }
}
