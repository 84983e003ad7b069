export type { Teardown } from '../listen.js'
export type {
  EgressAdapter,
  EgressAnswer,
  EgressClient,
  EgressRequest,
  SuiteEgressOptions,
} from './egress-adapter.js'
export { egressSuite } from './egress-suite.js'
export { endpoint, type FakeEndpoint, type FakeResolver, type FakeService, fakeResolver } from './fake-resolver.js'
export { type Answer, closedPort, loopback, type Seen, type SeenServer, seenServer } from './seen-server.js'
export { faulty, faultyAtEnd } from './sentences/wait.js'
