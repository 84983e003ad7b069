// `relay.mjs` with a logger of its own.
import { useLogger } from '@laneway/register'
import pino from 'pino'

useLogger(pino({ level: 'debug' }, pino.destination({ fd: 1, sync: true })))
await import('./relay.mjs')
