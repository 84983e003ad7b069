import { nodeMatrix } from '@laneway/testkit'
import t from 'tap'

// What depends on the HTTP servers of Node.
await nodeMatrix(t, ['packages/gateway/test/upgrade.test.ts', 'packages/gateway/test/http2.test.ts'])
