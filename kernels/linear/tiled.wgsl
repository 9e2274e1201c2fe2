// linear, second rung: 16 × 16 threads compute a tile of y, each thread ROWS × COLUMNS elements of it in registers, 16 apart.
// Pieces of 4 · DEPTH columns of x and of the weight pass through workgroup memory: a vector that a thread reads from there
// serves ROWS or COLUMNS products. With a gate the upper half of a tile's columns belongs to the weight's second half.
// From the prologue: ROWS; COLUMNS, even with a gate; DEPTH, vectors of four in a piece.

const side = 16u;
const tileRows = ROWS * side;
const tileColumns = COLUMNS * side;
// One more vector of padding spreads the rows over the banks of workgroup memory.
const pitch = DEPTH + 1u;

var<workgroup> xs: array<vec4f, tileRows * pitch>;
var<workgroup> weights: array<vec4f, tileColumns * pitch>;

@compute @workgroup_size(side, side)
fn main(
  @builtin(workgroup_id) tile: vec3u,
  @builtin(local_invocation_id) local: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let firstRow = p.first + tile.y * tileRows;
  var sums: array<array<f32, COLUMNS>, ROWS>;
  for (var start = 0u; start < p.vectors; start += DEPTH) {
    for (var i = thread; i < tileRows * DEPTH; i += side * side) {
      xs[i / DEPTH * pitch + i % DEPTH] = loadX(firstRow + i / DEPTH, start + i % DEPTH);
    }
    for (var i = thread; i < tileColumns * DEPTH; i += side * side) {
      weights[i / DEPTH * pitch + i % DEPTH] = loadColumn(tile.x, i / DEPTH, start + i % DEPTH);
    }
    workgroupBarrier();
    let held = min(DEPTH, p.vectors - start); // not known when this is compiled, so that the loop is not unrolled
    for (var k = 0u; k < held; k++) {
      var w: array<vec4f, COLUMNS>;
      for (var c = 0u; c < COLUMNS; c++) { w[c] = weights[(local.x + side * c) * pitch + k]; }
      for (var r = 0u; r < ROWS; r++) {
        let v = xs[(local.y + side * r) * pitch + k];
        for (var c = 0u; c < COLUMNS; c++) { // one chain over ascending k for each element
          sums[r][c] = fma(v.w, w[c].w, fma(v.z, w[c].z, fma(v.y, w[c].y, fma(v.x, w[c].x, sums[r][c]))));
        }
      }
    }
    workgroupBarrier();
  }

  // Out of the registers into an array that can be indexed freely: the lengths of the loops below are not known when this is
  // compiled, or the activation would be there ROWS · COLUMNS times.
  var results: array<f32, ROWS * COLUMNS>;
  for (var r = 0u; r < ROWS; r++) {
    for (var c = 0u; c < COLUMNS; c++) { results[r * COLUMNS + c] = sums[r][c]; }
  }
  let perThread = select(COLUMNS, COLUMNS / 2u, p.gate != 0u); // columns of y
  let firstColumn = tile.x * perThread * side + local.x;
  for (var r = 0u; r < ROWS; r++) {
    let row = firstRow + local.y + side * r;
    if (row >= p.end) { break; }
    for (var c = 0u; c < perThread; c++) {
      let column = firstColumn + side * c;
      if (column >= p.out) { break; }
      finish(row, column, results[r * COLUMNS + c], results[r * COLUMNS + (c + perThread) % COLUMNS]);
    }
  }
}

// Vector k of the weight's row for column c of a tile, zeros outside of the weight.
fn loadColumn(tile: u32, c: u32, k: u32) -> vec4f {
  let perTile = select(tileColumns, tileColumns / 2u, p.gate != 0u); // columns of y
  let column = tile * perTile + c % perTile;
  if (k >= p.vectors || column >= p.out) { return vec4f(); }
  return loadWeight(select(column, p.out + column, c >= perTile), k);
}
