import { EventEmitter, once } from 'node:events'
import { Agent, type ClientRequest, get, type IncomingMessage, request } from 'node:http'
import { runInLane } from '@laneway/core'
import type { Choice, EgressResolver } from '@laneway/discovery'
import { LaneAgent } from '@laneway/http'
import { createAgentPatch } from '@laneway/http/internal'
import { endpoint, fakeResolver } from '@laneway/testkit/egress'
import t, { type Test } from 'tap'
import { closedPort, farServer } from './far-server.js'

/** A resolver with a fault in it. */
const broken = () => ({
  ...fakeResolver({}),
  match: () => 'sc-b',
  pick: (): never => {
    throw new Error('broken')
  },
})

const answer = (made: ClientRequest) =>
  new Promise<string>((resolve, reject) => {
    made.on('error', reject)
    made.on('response', (response: IncomingMessage) => {
      let text = ''
      response.on('data', chunk => {
        text += chunk
      })
      response.on('end', () => resolve(text))
    })
  })

t.test('under a preload the request goes where it would without Laneway, and the fault is reported', async t => {
  const far = await farServer(t, (_seen, _request, response) => response.end('served'))
  const faults: unknown[] = []
  const agent = patchedAgent(t, broken(), error => faults.push(error))
  const url = `http://127.0.0.1:${far.port}/`
  t.equal(await answer(get(url, { agent })), 'served')
  t.equal(await runInLane('gray', () => answer(request(url, { agent, method: 'POST' }).end('body'))), 'served')
  t.match(faults, [{ message: 'broken' }, { message: 'broken' }])
})

/** What throws behind a turn of the event loop, where no caller of the request is left on the stack. */
const late: Record<string, (port: number, refused: number) => EgressResolver> = {
  'pick, after the wait for the first snapshot': port => ({
    ...waiting(),
    pick: throwing(2, () => choice(undefined, 'not-ready', port)),
  }),
  'match, after the wait for the first snapshot': port => {
    let waited = false
    return {
      ...waiting(),
      lookup: async () => {
        waited = true
      },
      match: () => (waited ? broken().pick() : 'sc-b'),
      pick: () => choice(undefined, 'not-ready', port),
    }
  },
  'lookup itself': port => ({
    ...waiting(),
    lookup: throwing(1, async () => {}),
    pick: () => choice(undefined, 'not-ready', port),
  }),
  'pick, after a connect error': (_port, refused) => ({
    ...waiting(),
    pick: throwing(2, () => choice('127.0.0.1', 'base', refused)),
  }),
  'finished, for a connect error': (_port, refused) => ({
    ...waiting(),
    pick: () => choice('127.0.0.1', 'base', refused),
    finished: throwing(1, () => {}),
  }),
  started: port => ({
    ...waiting(),
    pick: () => choice('127.0.0.1', 'base', port),
    started: throwing(1, () => {}),
  }),
}

for (const [fault, resolver] of Object.entries(late)) {
  t.test(`a fault in ${fault}`, async t => {
    const far = await farServer(t, (_seen, _request, response) => response.end('served'))
    const refused = await closedPort()
    const url = `http://127.0.0.1:${far.port}/`
    const agent = new LaneAgent({ resolver: resolver(far.port, refused) })
    t.teardown(() => agent.destroy())
    await t.rejects(answer(get(url, { agent })), { message: 'broken' }, 'the request ends with it')

    const faults: unknown[] = []
    const patched = patchedAgent(t, resolver(far.port, refused), error => faults.push(error))
    t.equal(await runInLane('gray', () => answer(get(url, { agent: patched }))), 'served')
    t.match(faults, [{ message: 'broken' }])
  })
}

t.test('a fault in match, asked a second time, is no error of http.request', async t => {
  const far = await farServer(t, (_seen, _request, response) => response.end('served'))
  const faults: unknown[] = []
  const agent = patchedAgent(t, { ...waiting(), match: throwing(2, () => 'sc-b') }, error => faults.push(error))
  t.equal(await answer(get(`http://127.0.0.1:${far.port}/`, { agent })), 'served')
  t.match(faults, [{ message: 'broken' }])
})

t.test('a fault in finished, after the response, is reported and changes nothing', async t => {
  const far = await farServer(t, (_seen, _request, response) => response.end('served'))
  const resolver = () => ({
    ...waiting(),
    pick: () => choice('127.0.0.1', 'base', far.port),
    finished: throwing(1, () => {}),
  })
  const reports = new EventEmitter()
  const fault = once(reports, 'fault')
  const patched = patchedAgent(t, resolver(), error => reports.emit('fault', error))
  t.equal(await answer(get('http://sc-b/', { agent: patched })), 'served')
  t.match(await fault, [{ message: 'broken' }])
})

function waiting(): EgressResolver {
  return { ...fakeResolver({}), match: () => 'sc-b', lookup: async () => {} }
}

function choice(host: string | undefined, outcome: Choice['outcome'], port: number): Choice {
  const chosen = host === undefined ? undefined : endpoint(host, port)
  return { service: 'sc-b', endpoint: chosen, outcome, served: undefined }
}

/** Throws when it is called for the nth time. */
function throwing<A extends unknown[], R>(nth: number, fn: (...args: A) => R): (...args: A) => R {
  let calls = 0
  return (...args) => {
    if (++calls === nth) throw new Error('broken')
    return fn(...args)
  }
}

/** An agent as a preload makes them. */
function patchedAgent(t: Test, resolver: EgressResolver, onFault: (error: unknown) => void): Agent {
  const patch = createAgentPatch({ resolver }, onFault)
  class Patched extends Agent {}
  patch.patchAgents(Patched.prototype)
  const agent = new Patched()
  t.teardown(() => agent.destroy())
  return agent
}
