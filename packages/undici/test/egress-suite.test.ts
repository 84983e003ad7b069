import { egressSuite } from '@laneway/testkit/egress'
import t from 'tap'
import * as undici from 'undici'
import { composedAdapters, laneFetchAdapter } from './suite/egress-adapters.js'

for (const adapter of [...composedAdapters({ undici, major: 7 }), laneFetchAdapter]) {
  t.test(adapter.name, t => egressSuite(t, adapter))
}
