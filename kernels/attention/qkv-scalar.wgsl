// Heads of any width.

@group(0) @binding(0) var<storage, read> qkv: array<f32>;

// Elements 4d … 4d + 3 of the head that starts at a column of a token's row, zeros behind its last.
fn load(token: u32, column: u32, d: u32) -> vec4f {
  let start = token * 3u * p.hidden + column;
  var values = vec4f();
  for (var i = 0u; i < min(4u, p.headDim - 4u * d); i++) { values[i] = qkv[start + 4u * d + i]; }
  return values;
}
