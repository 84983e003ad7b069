import { bundle } from '../../fixtures/bundle.mjs'

/** A bundle of the service and its libraries. */
export default {
  library: 'rollup',
  use: 'a bundle, as a module',
  explicit: 'a bundle holds them like any package',
  full: true,
  program: async way => ({ command: way.node, args: [...way.flags, await bundle('rollup', 'app', way)] }),
}
