import leftOut from './left-out.json' with { type: 'json' }

/** What run.mjs hears: each test as it begins and as it ends. */
export interface PageReport {
  readonly event: 'begin' | 'pass' | 'fail' | 'pending' | 'end'
  readonly title?: string
  readonly milliseconds?: number | undefined
  readonly error?: string
}

declare global {
  /** Given by run.mjs. */
  function report(report: PageReport): void
}

function everyTest(suite: Mocha.Suite): Mocha.Test[] {
  return [...suite.tests, ...suite.suites.flatMap(everyTest)]
}

/** Tests that are left out become pending ones that say why. */
function leaveOut() {
  const tests = everyTest(mocha.suite)
  for (const { name, reason, where } of leftOut.tests) {
    if (where === 'not isolated' && crossOriginIsolated) continue
    const named = tests.filter((test) => test.fullTitle().startsWith(name))
    for (const test of named) {
      test.pending = true
      test.title += ` (left out: ${reason})`
    }
    if (named.length === 0 && tests.length > 1000) {
      mocha.suite.addTest(
        new Mocha.Test(`left out: ${name}`, () => {
          throw new Error('there is no such test')
        }),
      )
    }
  }
}

leaveOut()
mocha
  .run()
  .on('test', (test) => report({ event: 'begin', title: test.fullTitle() }))
  .on('pass', (test) => report({ event: 'pass', title: test.fullTitle(), milliseconds: test.duration }))
  .on('pending', (test) => report({ event: 'pending', title: test.fullTitle() }))
  .on('fail', (test, error: Error) =>
    report({ event: 'fail', title: test.fullTitle(), error: error.stack ?? `${error.name}: ${error.message}` }),
  )
  .on('end', () => report({ event: 'end' }))
