import type { Test } from 'tap'
import { propagationSuite } from './propagation.js'
import type { Copy } from './undici-copy.js'

/** Everything that `composeLane` promises, for one copy of undici. */
export function laneSuite(t: Test, copy: Copy): void {
  t.test('propagation', async t => propagationSuite(t, copy))
}
