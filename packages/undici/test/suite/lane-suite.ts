import { egressSuite } from '@laneway/testkit/egress'
import type { Test } from 'tap'
import { addressSuite } from './address-suite.js'
import { cacheSuite } from './cache-suite.js'
import { composedAdapters } from './egress-adapters.js'
import { faultSuite } from './fault-suite.js'
import { headerSuite } from './header-suite.js'
import { poolSuite } from './pool-suite.js'
import { propagationSuite } from './propagation.js'
import { proxySuite } from './proxy-suite.js'
import { refusalSuite } from './refusal-suite.js'
import { resolveSuite } from './resolve-suite.js'
import { retrySuite } from './retry-suite.js'
import { scopeSuite } from './scope-suite.js'
import { timeoutSuite } from './timeout-suite.js'
import type { Copy } from './undici-copy.js'

/** Everything that `composeLane` promises, for one copy of undici. */
export function laneSuite(t: Test, copy: Copy): void {
  for (const adapter of composedAdapters(copy)) t.test(adapter.name, t => egressSuite(t, adapter))
  t.test('propagation', async t => propagationSuite(t, copy))
  t.test('headers', async t => headerSuite(t, copy))
  t.test('resolving', async t => resolveSuite(t, copy))
  t.test('retries', async t => retrySuite(t, copy))
  t.test('refusals', async t => refusalSuite(t, copy))
  t.test('faults', async t => faultSuite(t, copy))
  t.test('proxies', async t => proxySuite(t, copy))
  t.test('caches', async t => cacheSuite(t, copy))
  t.test('pools', async t => poolSuite(t, copy))
  t.test('timeouts', async t => timeoutSuite(t, copy))
  t.test('addresses', async t => addressSuite(t, copy))
  t.test('scope', async t => scopeSuite(t, copy))
}
