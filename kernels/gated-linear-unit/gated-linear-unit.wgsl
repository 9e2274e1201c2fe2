// One thread computes one element of y: activation(x[row, column]) · x[row, width + column].

struct Parameters {
  // elements of y
  size: u32,
  // of y, half of x's
  width: u32,
  // of activation.wgsl
  activation: u32,
}
@group(1) @binding(0) var<uniform> p: Parameters;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(256)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let place = (workgroup.x + workgroup.y * workgroups.x) * 256u + thread;
  if (place >= p.size) { return; }
  let first = place + place / p.width * p.width; // rows of x are twice as long
  y[place] = activate(p.activation, x[first]) * x[first + p.width];
}
