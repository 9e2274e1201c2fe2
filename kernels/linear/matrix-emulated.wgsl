// The matrices of matrix.wgsl as every device can compute them: the proof of all that is around. A factor is the place of its first
// element in workgroup memory, and each lane has some elements of a result. LANES divides M · N.

const perLane = M * N / LANES;
alias Left = u32;
alias Right = u32;
alias Result = array<f32, perLane>;

// Not known when this is compiled, so that loops stay loops and compile quickly.
fn rolled(count: u32) -> u32 { return min(count, count * p.end); }

fn loadLeft(at: u32) -> Left { return at; }

fn loadRight(at: u32) -> Right { return at; }

fn multiply(left: Left, right: Right, sum: Result) -> Result {
  var result = sum;
  for (var e = 0u; e < rolled(perLane); e++) {
    let i = lane + e * LANES;
    for (var k = 0u; k < rolled(K); k++) {
      result[e] = fma(f32(xs[left + i / N * pitch + k]), f32(weights[right + i % N * pitch + k]), result[e]);
    }
  }
  return result;
}

fn store(at: u32, result: Result) {
  var values = result;
  for (var e = 0u; e < rolled(perLane); e++) {
    let i = lane + e * LANES;
    results[at + i / N * subgroupColumns + i % N] = values[e];
  }
}
