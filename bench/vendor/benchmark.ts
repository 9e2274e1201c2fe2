import Base from 'benchmark'
import lodash from 'lodash'

/**
 * It finds lodash by a `require` of its own that no bundler sees, so it is handed in; without a document it makes its loops as
 * functions, else as script elements, which a page's policy forbids.
 */
const Benchmark = (Base as unknown as { runInContext(context: object): typeof Base }).runInContext({
  _: lodash,
  document: null,
})

export { Benchmark }
