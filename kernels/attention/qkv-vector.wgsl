// Heads of whole vectors of four.

@group(0) @binding(0) var<storage, read> qkv: array<vec4f>;

// Elements 4d … 4d + 3 of the head that starts at a column of a token's row.
fn load(token: u32, column: u32, d: u32) -> vec4f {
  return qkv[(token * 3u * p.hidden + column) / 4u + d];
}
