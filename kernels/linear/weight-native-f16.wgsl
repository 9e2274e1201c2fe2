// A weight (features, vectors) of float16, read as such where the device can; rows are padded with zeros to whole vectors of four.

@group(0) @binding(1) var<storage, read> weight: array<vec4h>;

// Elements 4k … 4k + 3 of a row.
fn loadWeight(row: u32, k: u32) -> vec4f {
  return vec4f(weight[row * p.vectors + k]);
}
