import { Agent, type ClientRequest, get, type IncomingMessage, request } from 'node:http'
import { runInLane } from '@laneway/core'
import { createAgentPatch, LaneAgent } from '@laneway/http'
import t from 'tap'
import { fakeResolver } from './fake-resolver.js'
import { farServer } from './far-server.js'

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

t.test('a resolver that throws fails the request, not the process', async t => {
  const agent = new LaneAgent({ resolver: broken() })
  t.teardown(() => agent.destroy())
  await t.rejects(answer(get('http://sc-b/', { agent })), { message: 'broken' })
})

t.test('under a preload the request goes where it would without Laneway, and the fault is told', async t => {
  const far = await farServer(t, (_seen, _request, response) => response.end('served'))
  const faults: unknown[] = []
  const patch = createAgentPatch({ resolver: broken() }, error => faults.push(error))
  class Patched extends Agent {}
  const prototype = Patched.prototype as unknown as Record<'addRequest', (...args: any[]) => void>
  prototype.addRequest = patch.wrapAddRequest(prototype.addRequest)
  const agent = new Patched()
  t.teardown(() => agent.destroy())
  const url = `http://127.0.0.1:${far.port}/`
  t.equal(await answer(get(url, { agent })), 'served')
  t.equal(await runInLane('gray', () => answer(request(url, { agent, method: 'POST' }).end('body'))), 'served')
  t.match(faults, [{ message: 'broken' }, { message: 'broken' }])
})
