// x of any width.

@group(0) @binding(0) var<storage, read> x: array<f32>;

fn element(row: u32, k: u32) -> f32 {
  if (k >= p.width) { return 0.0; }
  return x[row * p.width + k];
}

// Elements 4k … 4k + 3 of a row, zeros outside of x.
fn loadX(row: u32, k: u32) -> vec4f {
  if (row >= p.end) { return vec4f(); }
  return vec4f(element(row, 4u * k), element(row, 4u * k + 1u), element(row, 4u * k + 2u), element(row, 4u * k + 3u));
}
