// A weight (features, vectors) of bfloat16, the upper halves of float32, two to a word; rows are padded with zeros to whole
// vectors of four.

@group(0) @binding(1) var<storage, read> weight: array<vec2u>;

// Elements 4k … 4k + 3 of a row.
fn loadWeight(row: u32, k: u32) -> vec4f {
  let words = weight[row * p.vectors + k];
  return bitcast<vec4f>(vec4u(words.x << 16u, words.x & 0xffff0000u, words.y << 16u, words.y & 0xffff0000u));
}
