// The matrices of matrix.wgsl where chromium_experimental_subgroup_matrix is. A matrix type names its columns, then its rows.

alias Left = subgroup_matrix_left<T, K, M>;
alias Right = subgroup_matrix_right<T, N, K>;
alias Result = subgroup_matrix_result<f32, N, M>;

fn loadLeft(at: u32) -> Left { return subgroupMatrixLoad<Left, row_major>(&xs, at, pitch); }

// Rows of the weight are columns of the product's right side.
fn loadRight(at: u32) -> Right { return subgroupMatrixLoad<Right, col_major>(&weights, at, pitch); }

fn multiply(left: Left, right: Right, sum: Result) -> Result { return subgroupMatrixMultiplyAccumulate(left, right, sum); }

fn store(at: u32, result: Result) { subgroupMatrixStore<row_major>(&results, at, result, subgroupColumns); }
