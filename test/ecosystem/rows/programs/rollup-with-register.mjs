import { bundle } from '../../fixtures/bundle.mjs'

/** A bundle that holds @laneway/register: it starts without a flag of Laneway. */
export default {
  library: 'rollup',
  full: true,
  use: 'a bundle that contains register',
  explicit: 'register is inside of the bundle',
  notApplicable: { otel: 'the bundle is loaded by OpenTelemetry as any other' },
  program: async way => {
    const file = await bundle('rollup', way.way === 'plain' ? 'app' : 'app-with-register', way)
    return { command: way.node, args: [...way.flags.slice(0, 2), file] }
  },
}
