import t from 'tap'
import * as undici from 'undici6'
import { laneSuite } from './suite/lane-suite.js'
import type { UndiciCopy } from './suite/undici-copy.js'

laneSuite(t, { undici: undici as unknown as UndiciCopy, major: 6 })
