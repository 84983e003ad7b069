import { bundle } from '../../fixtures/bundle.mjs'

/** A bundle of the service and its libraries. */
export default {
  library: 'esbuild',
  full: true,
  use: 'a minified bundle',
  explicit: 'a bundle holds them like any package',
  program: async way => ({ command: way.node, args: [...way.flags, await bundle('esbuild', 'app', way)] }),
}
