// From the prologue: THREADS, of a workgroup.

var<workgroup> parts: array<vec2f, THREADS>;

// Sums over the workgroup, in a fixed order; every thread gets them. Eight threads add up an eighth each, then all add the eight:
// two short walks where one thread after the other would be a long one. For uniform control flow.
fn sumOfAll(thread: u32, part: vec2f) -> vec2f {
  let few = min(8u, p.threads);
  workgroupBarrier();
  parts[thread] = part;
  workgroupBarrier();
  var sum = part;
  if (thread < few) {
    for (var i = thread + few; i < p.threads; i += few) { sum += parts[i]; }
    parts[thread] = sum;
  }
  workgroupBarrier();
  sum = parts[0];
  for (var i = 1u; i < few; i++) { sum += parts[i]; }
  return sum;
}
