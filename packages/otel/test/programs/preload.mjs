// For `node --import`, as auto-instrumentation is loaded: the SDK runs before any line of the program.
import { createRequire } from 'node:module'

createRequire(import.meta.url)('./preload.cjs')
