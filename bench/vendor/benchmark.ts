import Base from 'benchmark'
import lodash from 'lodash'

/** It finds lodash by a `require` of its own that no bundler sees, so it is handed in. */
const Benchmark = (Base as unknown as { runInContext(context: object): typeof Base }).runInContext({ _: lodash })

export { Benchmark }
