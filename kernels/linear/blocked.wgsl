// linear, third rung: SIDE × SIDE threads compute a tile of y, each thread 4 · ROW_VECTORS × 4 · COLUMN_VECTORS elements of it. Pieces
// of 4 · DEPTH columns of x and of the weight are turned on their way into workgroup memory, so that a vector holds four rows of x
// (or of the weight) at one k: two to four loads of 16 bytes feed 16 to 64 products. The next piece is under way from memory
// meanwhile. 8 × 8 elements take 64 registers, 16 more hold what is multiplied and 16 to 64 the next piece.
// With a gate, COLUMN_VECTORS is 2 and the upper half of a tile's columns belongs to the weight's second half.
// From the prologue: SIDE, a multiple of 8; ROW_VECTORS, COLUMN_VECTORS, 1 or 2 each; DEPTH, vectors in a piece, 4, 8 or 16.

const threads = SIDE * SIDE;
const tileRows = 4u * ROW_VECTORS * SIDE;
const tileColumns = 4u * COLUMN_VECTORS * SIDE;
// Vectors of a tile at one k: of rows, then of columns.
const rowVectors = ROW_VECTORS * SIDE;
const allVectors = (ROW_VECTORS + COLUMN_VECTORS) * SIDE;
// Blocks of 4 rows × 4 columns in a piece, and of them how many a thread brings in.
const blocks = allVectors * DEPTH;
const blocksPerThread = (blocks + threads - 1u) / threads;

var<workgroup> piece: array<vec4f, allVectors * 4u * DEPTH>;

// Vectors of neighbouring blocks are written together: this spreads them over the banks of workgroup memory, 8 vectors wide.
fn place(vector: u32, k: u32) -> u32 {
  return k * allVectors + (vector ^ (k / 4u * (8u / min(DEPTH, 8u)) % 8u));
}

@compute @workgroup_size(SIDE, SIDE)
fn main(
  @builtin(workgroup_id) tile: vec3u,
  @builtin(local_invocation_id) local: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let firstRow = p.first + tile.y * tileRows;
  var sums: array<array<vec4f, COLUMN_VECTORS>, 4u * ROW_VECTORS>;
  var held = 0u; // columns of k in workgroup memory
  for (var start = 0u; start == 0u || held > 0u; start += DEPTH) {
    var next: array<mat4x4f, blocksPerThread>;
    for (var b = 0u; b < blocksPerThread; b++) { next[b] = loadBlock(firstRow, tile.x, thread, b, start); }
    for (var first = 0u; first < held; first += 4u) {
      for (var k = first; k < first + 4u; k++) { // one chain over ascending k for each element
        var w: array<vec4f, COLUMN_VECTORS>;
        for (var c = 0u; c < COLUMN_VECTORS; c++) { w[c] = piece[place(rowVectors + c * SIDE + local.x, k)]; }
        for (var r = 0u; r < ROW_VECTORS; r++) {
          let v = piece[place(r * SIDE + local.y, k)];
          for (var c = 0u; c < COLUMN_VECTORS; c++) {
            sums[4u * r][c] = fma(vec4f(v.x), w[c], sums[4u * r][c]);
            sums[4u * r + 1u][c] = fma(vec4f(v.y), w[c], sums[4u * r + 1u][c]);
            sums[4u * r + 2u][c] = fma(vec4f(v.z), w[c], sums[4u * r + 2u][c]);
            sums[4u * r + 3u][c] = fma(vec4f(v.w), w[c], sums[4u * r + 3u][c]);
          }
        }
      }
    }
    workgroupBarrier();
    for (var b = 0u; b < blocksPerThread; b++) {
      let block = thread + b * threads;
      if (block < blocks) {
        let turned = transpose(next[b]);
        for (var k = 0u; k < 4u; k++) { piece[place(block / DEPTH, block % DEPTH * 4u + k)] = turned[k]; }
      }
    }
    workgroupBarrier();
    held = 4u * min(DEPTH, p.vectors - min(p.vectors, start));
  }

  // Out of the registers into an array that can be indexed freely: the lengths of the loops below are not known when this is
  // compiled, or the activation would be there once for each element.
  var results: array<vec4f, 4u * ROW_VECTORS * COLUMN_VECTORS>;
  for (var r = 0u; r < 4u * ROW_VECTORS; r++) {
    for (var c = 0u; c < COLUMN_VECTORS; c++) { results[r * COLUMN_VECTORS + c] = sums[r][c]; }
  }
  let gated = p.gate != 0u;
  let perThread = select(COLUMN_VECTORS, COLUMN_VECTORS / 2u, gated); // vectors of columns of y
  for (var r = 0u; r < min(4u * ROW_VECTORS, p.end); r++) {
    let row = firstRow + r / 4u * 4u * SIDE + local.y * 4u + r % 4u;
    if (row >= p.end) { continue; }
    for (var c = 0u; c < perThread; c++) {
      let sum = results[r * COLUMN_VECTORS + c];
      let factor = results[r * COLUMN_VECTORS + (c + perThread) % COLUMN_VECTORS];
      let column = (tile.x * perThread + c) * 4u * SIDE + local.x * 4u;
      for (var i = 0u; i < min(4u, p.out - min(p.out, column)); i++) { finish(row, column + i, sum[i], factor[i]); }
    }
  }
}

// The block of a thread's turn b, of the piece that starts at a vector of k, row by row; zeros outside of x and of the weight.
fn loadBlock(firstRow: u32, tile: u32, thread: u32, b: u32, start: u32) -> mat4x4f {
  let block = thread + b * threads;
  let k = start + block % DEPTH;
  var loaded = mat4x4f();
  if (k >= p.vectors || block >= blocks) { return loaded; }
  let vector = block / DEPTH;
  // Where turns are all of x or all of the weight, compilers know which.
  if (select(vector, b * threads / DEPTH, rowVectors * DEPTH % threads == 0u) < rowVectors) {
    let row = firstRow + 4u * vector;
    loaded = mat4x4f(loadX(row, k), loadX(row + 1u, k), loadX(row + 2u, k), loadX(row + 3u, k));
  } else {
    let c = 4u * (vector - rowVectors);
    loaded = mat4x4f(loadColumn(tile, c, k), loadColumn(tile, c + 1u, k), loadColumn(tile, c + 2u, k), loadColumn(tile, c + 3u, k));
  }
  return loaded;
}

// Vector k of the weight's row for column c of a tile, zeros outside of the weight.
fn loadColumn(tile: u32, c: u32, k: u32) -> vec4f {
  let perTile = select(tileColumns, tileColumns / 2u, p.gate != 0u); // columns of y
  let column = tile * perTile + c % perTile;
  if (column >= p.out) { return vec4f(); }
  return loadWeight(select(column, p.out + column, c >= perTile), k);
}
