import type { Test } from 'tap'
import { lateSubscriber, lost, unreachable } from './losing.js'
import { caseOfNames, emptyAndUnknown, listing, oddNames } from './naming.js'
import {
  changes,
  closing,
  firstSnapshot,
  lanes,
  manyInstances,
  order,
  sharedListener,
  subscribers,
  unchangedSnapshot,
} from './reporting.js'
import { badEndpoints, resolving, tooMany } from './resolving.js'
import type { SourceAdapter } from './source-adapter.js'

type Sentence = (t: Test, adapter: SourceAdapter) => Promise<void>

/**
 * What every source must do, whatever registry is behind it. Each sentence is a subtest of its own.
 *
 * To add a source, say how its registry is started, changed and lost, against a real server where there is one:
 *
 * ```ts
 * import { sourceSuite } from '@laneway/testkit'
 *
 * t.test('redis', t =>
 *   sourceSuite(t, {
 *     name: 'redis',
 *     unknownService: 'missing',
 *     badEndpoint: 'dropped',
 *     async start(t) {
 *       const server = await startRedis(t)
 *       return {
 *         open: () => createRedisSource({ url: server.url }),
 *         publish: services => server.writeHashes(services),
 *         lose: () => server.refuseConnections(),
 *         restore: () => server.acceptConnections(),
 *       }
 *     },
 *   }),
 * )
 * ```
 *
 * A sentence that cannot hold is named in `cannot`, with the reason. What is special about the registry (its login, its
 * protocol, the faults of its connections) needs tests of its own beside the suite.
 */
export async function sourceSuite(t: Test, adapter: SourceAdapter): Promise<void> {
  const { cannot = {} } = adapter
  const sentence = (name: string, run: Sentence, reason?: string) =>
    t.test(`${adapter.name}: ${name}`, { skip: reason ?? false }, t => run(t, adapter))

  await sentence('the first snapshot has every instance with its address, lanes, health and zone', firstSnapshot)
  await sentence('an instance that comes, goes, falls ill or changes its lane is reported', changes)
  await sentence('of quick changes the last one wins, and none is reported out of order', order)
  await sentence('a snapshot stays as it was reported', unchangedSnapshot)
  await sentence('a service of 2,000 instances is reported whole', manyInstances)
  await sentence('a service without instances and an unknown one are reported as such', emptyAndUnknown)
  await sentence('two subscribers hear the same, and one that leaves hears nothing more', subscribers)
  await sentence('one listener may follow several services', sharedListener)
  await sentence('names differ by case only where the source says so', caseOfNames)
  await sentence('a name that cannot be a service has no endpoints', oddNames)
  await sentence('all services are listed, and again when they change', listing)
  await sentence('what is reported later is not in the lane of the request that subscribed', lanes)
  await sentence('a registry that cannot be reached is stale, neither empty nor missing', unreachable, cannot.lose)
  await sentence('a lost registry keeps the last good snapshot, and its return confirms it', lost, cannot.lose)
  await sentence('a new subscriber of a lost registry hears that it is stale', lateSubscriber, cannot.lose)
  await sentence('a resolver finds the services, waits for them, and keeps to their lanes', resolving)
  await sentence('an endpoint that cannot be used is never called', badEndpoints)
  await sentence('more endpoints than a service may have leave the last snapshot in use', tooMany, cannot.tooMany)
  await sentence('close ends every subscription and leaves nothing open', closing)
}
