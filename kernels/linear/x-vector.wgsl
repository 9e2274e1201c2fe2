// x whose rows are whole vectors of four.

@group(0) @binding(0) var<storage, read> x: array<vec4f>;

// Elements 4k … 4k + 3 of a row, zeros outside of x.
fn loadX(row: u32, k: u32) -> vec4f {
  if (row >= p.end || k >= p.vectors) { return vec4f(); }
  return x[row * p.vectors + k];
}
