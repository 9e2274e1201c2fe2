// One thread writes one element of an image's token 0: class token plus position.

struct Parameters {
  // images · out
  size: u32,
  // columns of y
  out: u32,
  // tokens of an image
  tokens: u32,
}
@group(1) @binding(0) var<uniform> p: Parameters;

@group(0) @binding(0) var<storage, read> classToken: array<f32>;
@group(0) @binding(1) var<storage, read> position: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(256)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = (workgroup.x + workgroup.y * workgroups.x) * 256u + thread;
  if (i >= p.size) { return; }
  let column = i % p.out;
  y[i / p.out * p.tokens * p.out + column] = classToken[column] + position[column];
}
