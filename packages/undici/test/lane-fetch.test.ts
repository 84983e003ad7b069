import t from 'tap'
import { builtInSuite } from './suite/built-in-suite.js'

builtInSuite(t)
