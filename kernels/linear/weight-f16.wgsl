// A weight (features, vectors) of float16, two to a word; rows are padded with zeros to whole vectors of four.

@group(0) @binding(1) var<storage, read> weight: array<vec2u>;

// Elements 4k … 4k + 3 of a row.
fn loadWeight(row: u32, k: u32) -> vec4f {
  let words = weight[row * p.vectors + k];
  return vec4f(unpack2x16float(words.x), unpack2x16float(words.y));
}
