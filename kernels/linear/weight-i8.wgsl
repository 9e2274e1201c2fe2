// A weight (features, vectors) of 8-bit codes, four to a word, with a scale for each 64 columns of a row; rows of both are
// padded with zeros to whole vectors of four.

@group(0) @binding(1) var<storage, read> weight: array<u32>;
@group(0) @binding(2) var<storage, read> scale: array<f32>;

// Elements 4k … 4k + 3 of a row: codes times their scale.
fn loadWeight(row: u32, k: u32) -> vec4f {
  let codes = bitcast<i32>(weight[row * p.vectors + k]);
  let bytes = vec4i(codes << 24u, codes << 16u, codes << 8u, codes) >> vec4u(24u);
  return vec4f(bytes) * scale[row * p.scales + k / 16u];
}
