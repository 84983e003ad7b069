import t from 'tap'
import { builtInSuite } from './built-in-suite.js'

builtInSuite(t)
