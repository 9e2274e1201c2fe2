// From the prologue: THREADS, of a workgroup.

var<workgroup> parts: array<vec2f, THREADS>;

// Sums over the workgroup, in the order of its threads; every thread gets them. For uniform control flow.
fn sumOfAll(thread: u32, part: vec2f) -> vec2f {
  workgroupBarrier();
  parts[thread] = part;
  workgroupBarrier();
  var sum = parts[0];
  for (var i = 1u; i < p.threads; i++) { sum += parts[i]; }
  return sum;
}
