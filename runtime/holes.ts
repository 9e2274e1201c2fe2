/** A block that grows at its end, and what is free in it: first fit. */
export class Holes {
  end = 0
  /** Ascending, never adjacent. */
  private readonly ranges: { start: number; bytes: number }[] = []

  /** Where the last range in use ends. */
  get used(): number {
    const last = this.ranges.at(-1)
    return last && last.start + last.bytes === this.end ? last.start : this.end
  }

  take(bytes: number): number {
    const index = this.ranges.findIndex((range) => range.bytes >= bytes)
    const range = this.ranges[index]
    if (range) {
      const { start } = range
      range.start += bytes
      range.bytes -= bytes
      if (range.bytes === 0) this.ranges.splice(index, 1)
      return start
    }
    const last = this.ranges.at(-1)
    if (last && last.start + last.bytes === this.end) {
      this.ranges.pop()
      this.end = last.start + bytes
      return last.start
    }
    this.end += bytes
    return this.end - bytes
  }

  free(start: number, bytes: number): void {
    const at = this.ranges.findIndex((range) => range.start > start)
    const index = at < 0 ? this.ranges.length : at
    this.ranges.splice(index, 0, { start, bytes })
    this.merge(index)
    this.merge(index - 1)
  }

  private merge(index: number): void {
    const left = this.ranges[index]
    const right = this.ranges[index + 1]
    if (left && right && left.start + left.bytes === right.start) {
      left.bytes += right.bytes
      this.ranges.splice(index + 1, 1)
    }
  }
}
