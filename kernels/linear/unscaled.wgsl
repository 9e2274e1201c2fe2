// Beside x that is as it came.

fn rowFactor(row: u32) -> f32 {
  return 1.0;
}
