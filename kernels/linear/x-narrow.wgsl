// x as narrow.wgsl leaves it.

@group(0) @binding(0) var<storage, read> x: array<vec4h>;
@group(0) @binding(6) var<storage, read> factors: array<f32>;

// Elements 4k … 4k + 3 of a row, zeros outside of x.
fn loadX(row: u32, k: u32) -> vec4h {
  if (row >= p.end || k >= p.vectors) { return vec4h(); }
  return x[row * p.vectors + k];
}

fn rowFactor(row: u32) -> f32 {
  return factors[row];
}
