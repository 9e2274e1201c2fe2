// The matrices of matrix.wgsl as every device can compute them, each lane all of them: slow, and the proof of all that is around.

alias Left = array<T, M * K>;
alias Right = array<T, N * K>;
alias Result = array<f32, M * N>;

fn loadLeft(at: u32) -> Left {
  var left: Left;
  for (var i = 0u; i < M * K; i++) { left[i] = xs[at + i / K * pitch + i % K]; }
  return left;
}

fn loadRight(at: u32) -> Right {
  var right: Right;
  for (var i = 0u; i < N * K; i++) { right[i] = weights[at + i / K * pitch + i % K]; }
  return right;
}

fn multiply(left: Left, right: Right, sum: Result) -> Result {
  var a = left;
  var b = right;
  var result = sum;
  for (var i = 0u; i < M * N; i++) {
    for (var k = 0u; k < K; k++) { result[i] = fma(f32(a[i / N * K + k]), f32(b[i % N * K + k]), result[i]); }
  }
  return result;
}

fn store(at: u32, result: Result) {
  var values = result;
  for (var i = 0u; i < M * N; i++) { results[at + i / N * subgroupColumns + i % N] = values[i]; }
}
