// A weight (features, vectors) of 16-bit codes, two to a word, with a scale for each 64 columns of a row; rows of both are
// padded with zeros to whole vectors of four.

@group(0) @binding(1) var<storage, read> weight: array<vec2i>;
@group(0) @binding(2) var<storage, read> scale: array<f32>;

// Elements 4k … 4k + 3 of a row: codes times their scale.
fn loadWeight(row: u32, k: u32) -> vec4f {
  let codes = weight[row * p.vectors + k];
  let halves = vec4i(codes.x << 16u, codes.x, codes.y << 16u, codes.y) >> vec4u(16u);
  return vec4f(halves) * scale[row * p.scales + k / 16u];
}
