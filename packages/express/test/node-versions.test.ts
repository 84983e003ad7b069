import { nodeMatrix } from '@laneway/testkit'
import t from 'tap'

await nodeMatrix(t, ['packages/express/test/ingress-suite.test.ts', 'packages/express/test/lifecycle.test.ts'])
