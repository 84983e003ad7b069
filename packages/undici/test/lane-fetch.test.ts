import t from 'tap'
import { builtInSuite } from './suite/built-in-suite.js'
import { onNode } from './suite/other-node.js'

builtInSuite(t)
for (const major of [22, 24, 26]) {
  t.test(`the built-in fetch of Node ${major}`, t => onNode(t, major, 'run-built-in.ts'))
}
