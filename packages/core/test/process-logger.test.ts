import { channels, logLanes, setLogger } from '@laneway/core'
import { createEgressScope, emitLanewayWarning } from '@laneway/core/internal'
import pino from 'pino'
import t from 'tap'

t.teardown(() => setLogger(undefined))

t.test('one logger takes the warnings of all components, and the lines of logLanes', async t => {
  const lines: { level: number; msg: string }[] = []
  setLogger(pino({ level: 'debug' }, { write: line => void lines.push(JSON.parse(line)) }))
  emitLanewayWarning('first')
  createEgressScope('test').blocked('third.example', { header: 'gray', tags: ['gray'] })
  const log = logLanes({ write: () => t.fail('the logger takes the lines') })
  channels.egress.publish({ host: 'sc-b', lane: undefined, action: 'untagged' })
  log.close()
  t.match(lines, [
    { level: 40, msg: 'laneway: first' },
    { level: 40, msg: /^laneway: a call in lane "gray" to third\.example/ },
    { level: 20, msg: /^laneway egress untagged/ },
  ])
})

t.test('a logger that throws ends nothing; without one there is a process warning', async t => {
  setLogger({
    debug() {},
    warn() {
      throw new Error('full')
    },
  })
  emitLanewayWarning('lost')
  setLogger(undefined)
  const warned = new Promise<Error>(resolve => process.once('warning', resolve))
  emitLanewayWarning('again')
  t.match(await warned, { name: 'LanewayWarning', message: 'again' })
  t.throws(() => setLogger({} as never), { code: 'LANEWAY_INVALID_OPTION' })
  setLogger(console)
})
