// One workgroup looks up one token: word row plus type row 0, normalised. Each part of a word table too large for one binding has
// a dispatch of its own, which leaves the tokens of the others alone.
// Tables are words: f32, or two f16 or bf16 to a word, rows padded with zeros to whole vectors of four.

struct Parameters {
  // tokens
  rows: u32,
  width: u32,
  // elements from one row of a table to the next
  stride: u32,
  epsilon: f32,
  // of a workgroup; a parameter too, so that loops over them are not unrolled
  threads: u32,
  // dtypes of the tables: 0 f32, 1 f16, 2 bf16
  word: u32,
  types: u32,
  // rows of the word table that are bound
  firstId: u32,
  endId: u32,
}
@group(1) @binding(0) var<uniform> p: Parameters;

@group(0) @binding(0) var<storage, read> ids: array<u32>;
@group(0) @binding(1) var<storage, read> word: array<u32>;
@group(0) @binding(2) var<storage, read> types: array<u32>;

// The token's element before the norm.
fn element(row: u32, i: u32) -> f32 {
  return loadWord((ids[row] - p.firstId) * p.stride + i) + loadType(i);
}

fn loadWord(i: u32) -> f32 {
  if (p.word == 0u) { return bitcast<f32>(word[i]); }
  return decode(word[i / 2u], i, p.word);
}

fn loadType(i: u32) -> f32 {
  if (p.types == 0u) { return bitcast<f32>(types[i]); }
  return decode(types[i / 2u], i, p.types);
}

// The half of a pair that holds element i.
fn decode(pair: u32, i: u32, dtype: u32) -> f32 {
  let half = select(pair & 0xffffu, pair >> 16u, i % 2u == 1u);
  if (dtype == 1u) { return unpack2x16float(half).x; }
  return bitcast<f32>(half << 16u);
}

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let row = workgroup.x + workgroup.y * workgroups.x;
  if (row >= p.rows) { return; }
  if (ids[row] < p.firstId || ids[row] >= p.endId) { return; } // of another part
  normalizeRow(row, thread);
}
