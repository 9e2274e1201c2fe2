// linear, second rung: SIDE × SIDE threads compute a tile of y, each thread ROWS × COLUMNS elements of it in registers, SIDE apart.
// Pieces of 4 · DEPTH columns of x and of the weight pass through workgroup memory: a vector that a thread reads from there
// serves ROWS or COLUMNS products. The next piece is under way from memory meanwhile. With a gate the upper half of a tile's columns
// belongs to the weight's second half.
// From the prologue: SIDE; ROWS; COLUMNS, even with a gate; DEPTH, vectors of four in a piece, a power of two. SIDE² divides a piece.

const threads = SIDE * SIDE;
const tileRows = ROWS * SIDE;
const tileColumns = COLUMNS * SIDE;
// Vectors of a piece, of x and then of the weight, and of them how many a thread brings in.
const vectors = (tileRows + tileColumns) * DEPTH;
const perThread = vectors / threads;
// Vectors that fill the banks of workgroup memory once, at most a row's.
const spread = min(DEPTH, 8u);

var<workgroup> piece: array<vec4f, vectors>;

// Vector k of a row of the piece. Rows start at the same bank, or every few do: without the spreading, threads that read a column of
// them would wait for each other.
fn place(row: u32, k: u32) -> u32 {
  return row * DEPTH + (k ^ (row / (8u / spread) % spread));
}

@compute @workgroup_size(SIDE, SIDE)
fn main(
  @builtin(workgroup_id) tile: vec3u,
  @builtin(local_invocation_id) local: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let firstRow = p.first + tile.y * tileRows;
  var sums: array<array<f32, COLUMNS>, ROWS>;
  var held = 0u; // vectors in workgroup memory
  for (var start = 0u; start == 0u || held > 0u; start += DEPTH) {
    var next: array<vec4f, perThread>;
    for (var i = 0u; i < perThread; i++) { next[i] = loadVector(firstRow, tile.x, thread, i, start); }
    for (var k = 0u; k < held; k++) { // not known when this is compiled, so that the loop is not unrolled
      var w: array<vec4f, COLUMNS>;
      for (var c = 0u; c < COLUMNS; c++) { w[c] = piece[place(tileRows + local.x + SIDE * c, k)]; }
      for (var r = 0u; r < ROWS; r++) {
        let v = piece[place(local.y + SIDE * r, k)];
        for (var c = 0u; c < COLUMNS; c++) { // one chain over ascending k for each element
          sums[r][c] = fma(v.w, w[c].w, fma(v.z, w[c].z, fma(v.y, w[c].y, fma(v.x, w[c].x, sums[r][c]))));
        }
      }
    }
    workgroupBarrier();
    for (var i = 0u; i < perThread; i++) {
      let vector = thread + i * threads;
      piece[place(vector / DEPTH, vector % DEPTH)] = next[i];
    }
    workgroupBarrier();
    held = min(DEPTH, p.vectors - min(p.vectors, start));
  }

  // Out of the registers into an array that can be indexed freely: the lengths of the loops below are not known when this is
  // compiled, or the activation would be there ROWS · COLUMNS times.
  var results: array<f32, ROWS * COLUMNS>;
  for (var r = 0u; r < ROWS; r++) {
    for (var c = 0u; c < COLUMNS; c++) { results[r * COLUMNS + c] = sums[r][c]; }
  }
  let columns = select(COLUMNS, COLUMNS / 2u, p.gate != 0u); // of y, of a thread
  let firstColumn = tile.x * columns * SIDE + local.x;
  for (var r = 0u; r < min(ROWS, p.end); r++) {
    let row = firstRow + local.y + SIDE * r;
    if (row >= p.end) { break; }
    for (var c = 0u; c < columns; c++) {
      let column = firstColumn + SIDE * c;
      if (column >= p.out) { break; }
      finish(row, column, results[r * COLUMNS + c], results[r * COLUMNS + (c + columns) % COLUMNS]);
    }
  }
}

// The vector of a thread's turn i, of the piece that starts at a vector of k; zeros outside of x and of the weight.
fn loadVector(firstRow: u32, tile: u32, thread: u32, i: u32, start: u32) -> vec4f {
  let vector = thread + i * threads;
  let k = start + vector % DEPTH;
  let row = vector / DEPTH;
  if (k >= p.vectors) { return vec4f(); }
  // Where turns are all of x or all of the weight, compilers know which.
  if (select(row, i * threads / DEPTH, tileRows * DEPTH % threads == 0u) < tileRows) { return loadX(firstRow + row, k); }
  let perTile = select(tileColumns, tileColumns / 2u, p.gate != 0u); // columns of y
  let c = row - tileRows;
  let column = tile * perTile + c % perTile;
  if (column >= p.out) { return vec4f(); }
  return loadWeight(select(column, p.out + column, c >= perTile), k);
}
