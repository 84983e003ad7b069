import http, { type ClientRequest } from 'node:http'
import { currentLane, runInLane } from '@laneway/core'
import type { EgressResolver } from '@laneway/discovery'
import { LaneAgent } from '@laneway/http'
import { createAgentPatch } from '@laneway/http/internal'
import { fakeResolver } from '@laneway/testkit/egress'
import got from 'got'
import t, { type Test } from 'tap'
import { closedPort, farServer } from './far-server.js'

const LANES = ['gray', undefined, 'blue'] as const

/** Agents whose requests wait for a socket, which Node opens or frees in the context of another request. */
const agents: Record<string, (t: Test, resolver: EgressResolver, options: http.AgentOptions) => http.Agent> = {
  LaneAgent: (t, resolver, options) => kept(t, new LaneAgent({ resolver, warn() {} }, options)),
  'an agent that a preload has patched': (t, resolver, options) => {
    class Patched extends http.Agent {}
    const fail = (error: unknown) => {
      throw error
    }
    createAgentPatch({ resolver, warn() {} }, fail).patchAgents(Patched.prototype)
    return kept(t, new Patched(options))
  },
}

function kept(t: Test, agent: http.Agent): http.Agent {
  t.teardown(() => agent.destroy())
  return agent
}

/** Runs three lanes at once through a queue, and counts the places where the code of one ran in another. */
async function wrong(use: (index: number, place: (name: string) => void) => Promise<unknown>): Promise<string[]> {
  const found: string[] = []
  let places = 0
  await Promise.all(
    Array.from({ length: 24 }, (_, index) => {
      const lane = LANES[index % 3]
      return runInLane(lane, use, index, (name: string) => {
        places++
        if (currentLane()?.header !== lane) found.push(`${name} of ${lane} in ${currentLane()?.header}`)
      })
    }),
  )
  if (places === 0) throw new Error('nothing was looked at')
  return found
}

for (const [kind, make] of Object.entries(agents)) {
  for (const maxSockets of [1, 4]) {
    for (const host of ['localhost', 'sc-b']) {
      t.test(`${kind}, maxSockets ${maxSockets}, ${host}: events run in the lane of their request`, async t => {
        let cut = 0
        const far = await farServer(t, (seen, request, response) => {
          // Each request is cut once: whoever repeats it has to do so in its lane.
          if (seen.url.startsWith('/cut') && cut++ < 24) return void request.socket.destroy()
          if (seen.url.startsWith('/half')) {
            response.writeHead(200, { 'content-length': '100' })
            response.write('half')
            return void setImmediate(() => request.socket.destroy())
          }
          if (seen.url.startsWith('/hang')) return
          response.end('x'.repeat(2000))
        })
        const resolver = fakeResolver({ 'sc-b': [{ port: far.port }] })
        resolver.match = name => (name === 'sc-b' ? 'sc-b' : undefined)
        const options = { agent: make(t, resolver, { maxSockets, keepAlive: true }), headers: {} }
        const url = (path: string) => `http://${host}:${far.port}${path}`
        const watch = (request: ClientRequest, place: (name: string) => void, settle: () => void) => {
          for (const event of ['socket', 'finish', 'timeout', 'error', 'close']) request.on(event, () => place(event))
          request.on('response', response => {
            for (const event of ['data', 'end', 'aborted', 'error', 'close']) {
              response.on(event, () => place(`response ${event}`))
            }
            place('response')
          })
          request.on('close', settle)
        }

        t.strictSame(
          await wrong(
            (index, place) =>
              new Promise<void>(resolve => {
                const request = http.request(url(`/ok/${index}`), { ...options, method: 'POST' })
                watch(request, place, resolve)
                request.write('one', () => place('callback of write'))
                request.end('two', () => place('callback of end'))
              }),
          ),
          [],
          'answered',
        )
        t.strictSame(
          await wrong(
            (index, place) =>
              new Promise<void>(resolve => {
                const first = http.get(url(`/cut/${index}`), options)
                watch(first, place, () => {})
                first.on('response', () => resolve())
                first.on('error', () => watch(http.get(url(`/again/${LANES[index % 3]}`), options), place, resolve))
              }),
          ),
          [],
          'tried again in the listener of the error',
        )
        for (const { url, tags } of far.seen.filter(one => one.url.startsWith('/again/'))) {
          t.strictSame(tags.join(), url === '/again/undefined' ? '' : url.slice('/again/'.length), 'on the wire')
        }
        t.strictSame(
          await wrong(
            (index, place) =>
              new Promise<void>(resolve => {
                const request = http.get(url(`/hang/${index}`), options)
                watch(request, place, resolve)
                request.setTimeout(10, () => {
                  place('callback of setTimeout')
                  request.destroy()
                })
              }),
          ),
          [],
          'timed out',
        )
        t.strictSame(
          await wrong(
            (index, place) =>
              new Promise<void>(resolve => watch(http.get(url(`/half/${index}`), options), place, resolve)),
          ),
          [],
          'broken off',
        )
        const refused = await closedPort()
        resolver.services['sc-b'] = [{ port: refused }]
        t.strictSame(
          await wrong(
            (index, place) =>
              new Promise<void>(resolve => {
                const first = http.get(`http://${host}:${refused}/${index}`, options)
                watch(first, place, () => {})
                // Those that wait in the queue are led to the endpoint that has come since.
                first.on('response', () => resolve())
                first.on('error', () => {
                  resolver.services['sc-b'] = [{ port: far.port }]
                  watch(http.get(url(`/again/${LANES[index % 3]}`), options), place, resolve)
                })
              }),
          ),
          [],
          'refused',
        )
        cut = 0
        t.strictSame(
          await wrong((index, place) =>
            got(url(`/cut/${index}`), {
              agent: { http: options.agent },
              retry: { limit: 2, backoffLimit: 1, errorCodes: ['ECONNRESET'] },
              hooks: {
                beforeRetry: [() => place('beforeRetry')],
                afterResponse: [
                  answer => {
                    place('afterResponse')
                    return answer
                  },
                ],
              },
            }).then(() => place('then')),
          ),
          [],
          'got',
        )
      })
    }
  }
}
