// linear with subgroup matrices (tensor cores, simdgroup matrices): a subgroup's lanes together hold ROW_MATRICES × COLUMN_MATRICES
// results of M × N elements, and the hardware multiplies (M, K) by (K, N) in one go. Pieces of DEPTH columns of x and of the weight
// pass through workgroup memory as elements of type T; the next piece is under way from memory meanwhile. Sums are float32.
// Each element of y is one sequence of products of K columns, ascending, whatever the tile.
// With a gate the upper half of each subgroup's columns belongs to the weight's second half.
// Left, Right, Result, loadLeft, loadRight, multiply and store are of matrix-*.wgsl, rowFactor of x-*.wgsl.
// From the prologue: T; M, N, K; ROW_MATRICES; COLUMN_MATRICES, even; ROW_SUBGROUPS; COLUMN_SUBGROUPS; LANES of a subgroup;
// DEPTH, a multiple of K and of 4.

const subgroups = ROW_SUBGROUPS * COLUMN_SUBGROUPS;
const threads = subgroups * LANES;
const subgroupRows = ROW_MATRICES * M;
const subgroupColumns = COLUMN_MATRICES * N;
const tileRows = ROW_SUBGROUPS * subgroupRows;
const tileColumns = COLUMN_SUBGROUPS * subgroupColumns;
// Eight more elements spread the rows over the banks of workgroup memory and keep them aligned.
const pitch = DEPTH + 8u;
const rowVectors = DEPTH / 4u;
// Vectors of a piece, of x and then of the weight, and of them how many a thread brings in.
const vectors = (tileRows + tileColumns) * rowVectors;
const vectorsPerThread = (vectors + threads - 1u) / threads;

var<workgroup> xs: array<T, tileRows * pitch>;
var<workgroup> weights: array<T, tileColumns * pitch>;
// Of each subgroup, (M, subgroupColumns): results on their way to `finish`.
var<workgroup> results: array<f32, subgroups * M * subgroupColumns>;
// This thread's place in its subgroup.
var<private> lane: u32;

@compute @workgroup_size(threads)
fn main(@builtin(workgroup_id) tile: vec3u, @builtin(local_invocation_index) thread: u32) {
  let subgroup = thread / LANES;
  lane = thread % LANES;
  let subgroupRow = subgroup / COLUMN_SUBGROUPS;
  let subgroupColumn = subgroup % COLUMN_SUBGROUPS;
  let firstRow = p.first + tile.y * tileRows;

  var sums: array<array<Result, COLUMN_MATRICES>, ROW_MATRICES>;
  var next: array<vec4<T>, vectorsPerThread>;
  for (var i = 0u; i < vectorsPerThread; i++) { next[i] = loadVector(firstRow, tile.x, thread + i * threads, 0u); }
  for (var start = 0u; start < p.vectors; start += rowVectors) {
    workgroupBarrier();
    for (var i = 0u; i < vectorsPerThread; i++) { keep(thread + i * threads, next[i]); }
    workgroupBarrier();
    for (var i = 0u; i < vectorsPerThread; i++) {
      next[i] = loadVector(firstRow, tile.x, thread + i * threads, start + rowVectors);
    }
    for (var k = 0u; k < DEPTH; k += K) {
      var right: array<Right, COLUMN_MATRICES>;
      for (var c = 0u; c < COLUMN_MATRICES; c++) {
        right[c] = loadRight((subgroupColumn * subgroupColumns + c * N) * pitch + k);
      }
      for (var r = 0u; r < ROW_MATRICES; r++) {
        let left = loadLeft((subgroupRow * subgroupRows + r * M) * pitch + k);
        for (var c = 0u; c < COLUMN_MATRICES; c++) { sums[r][c] = multiply(left, right[c], sums[r][c]); }
      }
    }
  }

  let perSubgroup = select(subgroupColumns, subgroupColumns / 2u, p.gate != 0u); // columns of y
  let firstColumn = (tile.x * COLUMN_SUBGROUPS + subgroupColumn) * perSubgroup;
  let place = subgroup * M * subgroupColumns;
  for (var r = 0u; r < ROW_MATRICES; r++) {
    workgroupBarrier();
    for (var c = 0u; c < COLUMN_MATRICES; c++) { store(place + c * N, sums[r][c]); }
    workgroupBarrier();
    for (var i = lane; i < M * perSubgroup; i += LANES) {
      let row = firstRow + subgroupRow * subgroupRows + r * M + i / perSubgroup;
      let column = i % perSubgroup;
      if (row < p.end && firstColumn + column < p.out) {
        let at = place + i / perSubgroup * subgroupColumns;
        let factor = rowFactor(row);
        let gated = results[at + (column + perSubgroup) % subgroupColumns];
        finish(row, firstColumn + column, results[at + column] * factor, gated * factor);
      }
    }
  }
}

// Vector i of the piece that starts at a vector of k; zeros outside of x and of the weight.
fn loadVector(firstRow: u32, tile: u32, i: u32, start: u32) -> vec4<T> {
  let k = start + i % rowVectors;
  let row = i / rowVectors;
  if (k >= p.vectors || i >= vectors) { return vec4<T>(); }
  if (row < tileRows) { return vec4<T>(loadX(firstRow + row, k)); }
  let perSubgroup = select(subgroupColumns, subgroupColumns / 2u, p.gate != 0u);
  let c = row - tileRows;
  let within = c % subgroupColumns;
  let column = (tile * COLUMN_SUBGROUPS + c / subgroupColumns) * perSubgroup + within % perSubgroup;
  if (column >= p.out) { return vec4<T>(); }
  return vec4<T>(loadWeight(select(column, p.out + column, within >= perSubgroup), k));
}

fn keep(i: u32, value: vec4<T>) {
  if (i >= vectors) { return; }
  let row = i / rowVectors;
  let k = i % rowVectors * 4u;
  if (row < tileRows) {
    let at = row * pitch + k;
    xs[at] = value.x;
    xs[at + 1u] = value.y;
    xs[at + 2u] = value.z;
    xs[at + 3u] = value.w;
  } else {
    let at = (row - tileRows) * pitch + k;
    weights[at] = value.x;
    weights[at + 1u] = value.y;
    weights[at + 2u] = value.z;
    weights[at + 3u] = value.w;
  }
}
