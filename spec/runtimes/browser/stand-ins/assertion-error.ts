/** As of node:assert: mocha shows the difference of `actual` and `expected`. */
export class AssertionError extends Error {
  override name = 'AssertionError'
  readonly code = 'ERR_ASSERTION'
  readonly actual: unknown
  readonly expected: unknown
  readonly operator: string

  constructor(details: { message: string; actual?: unknown; expected?: unknown; operator: string }) {
    super(details.message)
    this.actual = details.actual
    this.expected = details.expected
    this.operator = details.operator
  }
}
