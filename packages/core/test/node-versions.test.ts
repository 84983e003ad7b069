import { nodeMatrix } from '@laneway/testkit'
import t from 'tap'

// What rests on Node itself: address lists, URL parsing, parsed headers, the context, modules.
await nodeMatrix(
  t,
  ['private-address', 'trust', 'request-context', 'storage'].map(name => `packages/core/test/${name}.test.ts`),
)
