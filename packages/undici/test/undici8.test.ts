import t from 'tap'
import { onNode } from './suite/other-node.js'

// undici 8 needs Node 22.19, so it runs in processes of its own.
for (const major of [22, 26]) t.test(`undici 8 on Node ${major}`, t => onNode(t, major, 'run-undici8.ts'))
