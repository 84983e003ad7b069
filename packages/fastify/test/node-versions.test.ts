import { nodeMatrix } from '@laneway/testkit'
import t from 'tap'

await nodeMatrix(t, ['packages/fastify/test/ingress-suite.test.ts', 'packages/fastify/test/lifecycle.test.ts'])
