// linear, second rung: 16 × 16 threads compute a tile of y, each thread ROWS × COLUMNS elements of it in registers, 16 apart.
// Pieces of 16 columns of x and of the weight pass through workgroup memory: a vector that a thread reads from there serves
// ROWS or COLUMNS products. With a gate the upper half of a tile's columns belongs to the weight's second half.
// From the prologue: ROWS, COLUMNS (even), GATE.

const side = 16u;
const tileRows = ROWS * side;
const tileColumns = COLUMNS * side;
// Vectors of four in a piece; one more of padding spreads the rows over the banks of workgroup memory.
const depth = 4u;
const pitch = depth + 1u;

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
  for (var start = 0u; start < p.vectors; start += depth) {
    for (var i = thread; i < tileRows * depth; i += side * side) {
      xs[i / depth * pitch + i % depth] = loadX(firstRow + i / depth, start + i % depth);
    }
    for (var i = thread; i < tileColumns * depth; i += side * side) {
      weights[i / depth * pitch + i % depth] = loadColumn(tile.x, i / depth, start + i % depth);
    }
    workgroupBarrier();
    for (var k = 0u; k < depth; k++) {
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

  for (var r = 0u; r < ROWS; r++) {
    let row = firstRow + local.y + side * r;
    if (row >= p.end) { break; }
    if (GATE) {
      for (var c = 0u; c < COLUMNS / 2u; c++) {
        let column = tile.x * (tileColumns / 2u) + local.x + side * c;
        if (column < p.out) { finish(row, column, sums[r][c], sums[r][c + COLUMNS / 2u]); }
      }
    } else {
      for (var c = 0u; c < COLUMNS; c++) {
        let column = tile.x * tileColumns + local.x + side * c;
        if (column < p.out) { finish(row, column, sums[r][c], 0.0); }
      }
    }
  }
}

// Vector k of the weight's row for column c of a tile, zeros outside of the weight.
fn loadColumn(tile: u32, c: u32, k: u32) -> vec4f {
  if (k >= p.vectors) { return vec4f(); }
  if (GATE) {
    let half = tileColumns / 2u;
    let column = tile * half + c % half;
    if (column >= p.out) { return vec4f(); }
    return loadWeight(select(column, p.out + column, c >= half), k);
  }
  let column = tile * tileColumns + c;
  if (column >= p.out) { return vec4f(); }
  return loadWeight(column, k);
}
