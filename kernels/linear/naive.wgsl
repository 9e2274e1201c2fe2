// linear, first rung: one thread computes one element of y and reads all of its row of x and of the weight from memory.

@compute @workgroup_size(16, 16)
fn main(@builtin(global_invocation_id) place: vec3u) {
  let row = p.first + place.y;
  let column = place.x;
  if (row >= p.end || column >= p.out) { return; }
  var sum = 0.0;
  var gated = 0.0;
  for (var k = 0u; k < p.vectors; k++) {
    let v = loadX(row, k);
    sum = chain(sum, v, loadWeight(column, k));
    if (p.gate != 0u) { gated = chain(gated, v, loadWeight(p.out + column, k)); }
  }
  finish(row, column, sum, gated);
}

// One chain over ascending k.
fn chain(sum: f32, v: vec4f, w: vec4f) -> f32 {
  return fma(v.w, w.w, fma(v.z, w.z, fma(v.y, w.y, fma(v.x, w.x, sum))));
}
