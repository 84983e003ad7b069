import t from 'tap'
import * as undici from 'undici'
import { laneSuite } from './suite/lane-suite.js'

laneSuite(t, { undici, major: 7 })
