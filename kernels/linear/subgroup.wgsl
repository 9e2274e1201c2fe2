// linear for a few rows: no workgroup memory and no barriers, so that many reads of the weight are under way at once. Each thread
// has a column of y and ROWS rows of it. The lanes of a subgroup read neighbouring vectors of a row of x and hand them round, one
// lane after the other; each reads its own row of the weight, whose next vectors lie in the cache lines that it has just asked for.
// Any subgroup size will do: it is a multiple of four and divides THREADS.
// From the prologue: ROWS; THREADS, the largest subgroup size or a multiple of it.

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) tile: vec3u,
  @builtin(local_invocation_index) thread: u32,
  @builtin(subgroup_invocation_id) lane: u32,
  @builtin(subgroup_size) lanes: u32,
) {
  let firstRow = p.first + tile.y * ROWS;
  let column = tile.x * THREADS + thread;
  let own = min(column, p.out - 1u); // lanes past the last column hand x round as well
  var sums: array<f32, ROWS>;
  var gated: array<f32, ROWS>;
  for (var start = 0u; start < p.vectors; start += lanes) {
    var v: array<vec4f, ROWS>;
    for (var r = 0u; r < ROWS; r++) { v[r] = loadX(firstRow + r, start + lane); }
    let held = min(lanes, p.vectors - start);
    for (var first = 0u; first < held; first += 4u) {
      var w: array<vec4f, 4>;
      var factor: array<vec4f, 4>;
      for (var i = 0u; i < 4u; i++) { w[i] = loadColumn(own, start + first + i); }
      if (p.gate != 0u) {
        for (var i = 0u; i < 4u; i++) { factor[i] = loadColumn(p.out + own, start + first + i); }
      }
      for (var i = 0u; i < 4u; i++) {
        for (var r = 0u; r < ROWS; r++) {
          let element = subgroupShuffle(v[r], first + i);
          sums[r] = chain(sums[r], element, w[i]);
          if (p.gate != 0u) { gated[r] = chain(gated[r], element, factor[i]); }
        }
      }
    }
  }
  if (column >= p.out) { return; }
  // Out of the registers into an array that can be indexed freely: the loop below is not unrolled, or the activation would be there
  // once for each row.
  var results: array<vec2f, ROWS>;
  for (var r = 0u; r < ROWS; r++) { results[r] = vec2f(sums[r], gated[r]); }
  for (var r = 0u; r < min(ROWS, p.end); r++) {
    if (firstRow + r < p.end) { finish(firstRow + r, column, results[r].x, results[r].y); }
  }
}

fn loadColumn(row: u32, k: u32) -> vec4f {
  if (k >= p.vectors) { return vec4f(); }
  return loadWeight(row, k);
}

// One chain over ascending k.
fn chain(sum: f32, v: vec4f, w: vec4f) -> f32 {
  return fma(v.w, w.w, fma(v.z, w.z, fma(v.y, w.y, fma(v.x, w.x, sum))));
}
