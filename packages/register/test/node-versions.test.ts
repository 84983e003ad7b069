import { nodeMatrix } from '@laneway/testkit'
import t from 'tap'

// What register changes is Node's own: modules, http, fetch, the proxies of the environment.
await nodeMatrix(
  t,
  ['calls', 'env-proxy', 'listeners', 'loading'].map(name => `packages/register/test/${name}.test.ts`),
)
