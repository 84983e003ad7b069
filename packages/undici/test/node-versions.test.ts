import { nodeMatrix } from '@laneway/testkit'
import t from 'tap'

// The built-in fetch is that of the Node; undici 8 needs more than Node 20.
await nodeMatrix(
  t,
  ['lane-fetch', 'env-proxy', 'undici8'].map(name => `packages/undici/test/${name}.test.ts`),
)
