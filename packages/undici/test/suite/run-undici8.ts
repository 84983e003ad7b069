import t from 'tap'
import * as undici from 'undici8'
import { laneSuite } from './lane-suite.js'
import type { UndiciCopy } from './undici-copy.js'

laneSuite(t, { undici: undici as unknown as UndiciCopy, major: 8 })
