// One thread turns one pair of elements of x in place.

struct Parameters {
  // pairs that turn in all tokens: tokens · heads · headDim / 2
  size: u32,
  // pairs that turn in one token
  pairs: u32,
  // pairs of a head
  headPairs: u32,
  // elements of a token
  columns: u32,
}
@group(1) @binding(0) var<uniform> p: Parameters;

@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@group(0) @binding(1) var<storage, read> positions: array<u32>;
@group(0) @binding(2) var<storage, read> cos: array<f32>;
@group(0) @binding(3) var<storage, read> sin: array<f32>;

@compute @workgroup_size(256)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = (workgroup.x + workgroup.y * workgroups.x) * 256u + thread;
  if (i >= p.size) { return; }
  let token = i / p.pairs;
  let pair = i % p.pairs;
  let place = token * p.columns + 2u * pair;
  let angle = positions[token] * p.headPairs + pair % p.headPairs;
  let a = x[place];
  let b = x[place + 1u];
  x[place] = a * cos[angle] - b * sin[angle];
  x[place + 1u] = b * cos[angle] + a * sin[angle];
}
