// What a sidecar that routes by Host does to calls that Laneway resolves, and what helps. The sidecar is HAProxy; a real
// Istio was not run.
import { createServer, get, type IncomingMessage } from 'node:http'
import type { AddressInfo, LookupFunction } from 'node:net'
import { runInLane } from '@laneway/core'
import { createLaneResolver, createStaticSource } from '@laneway/discovery'
import { LaneAgent } from '@laneway/http'
import { composeLane } from '@laneway/undici'
import t from 'tap'
import { Agent, request } from 'undici'
// @ts-expect-error a script without types
import { findProgram } from '../servers/debian.mjs'
import { freePorts, startSidecar } from './sidecar.js'

const CALLS = 100
const problem: string | undefined = findProgram('haproxy', 'haproxy', '-v')
const skip = problem !== undefined && problem

/** Every name is this machine, where the sidecar takes over what is called. */
const lookup: LookupFunction = (_, { all }, done) =>
  all ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4)

async function instance(t: Tap.Test, lane: string): Promise<number> {
  const server = createServer((request, response) => response.end(`${lane} ${request.headers['x-mse-tag'] ?? 'none'}`))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

declare namespace Tap {
  type Test = { teardown(fn: () => unknown): void }
}

/** Two base instances and one gray behind a sidecar; the registry knows them by addresses that the sidecar takes over. */
async function mesh(t: Tap.Test, routesByTag: boolean) {
  const [base, otherBase, gray] = [await instance(t, 'base'), await instance(t, 'base'), await instance(t, 'gray')]
  const ports = await freePorts(4)
  await startSidecar(t, { ports, base: [base, otherBase], gray: [gray], routesByTag })
  const [service, ...addresses] = ports
  const resolver = createLaneResolver({
    sources: [
      createStaticSource({
        'sc-b': addresses.map((port, index) => ({ host: '127.0.0.1', port, tags: index === 2 ? ['gray'] : [] })),
      }),
    ],
    services: ['sc-b'],
  })
  t.teardown(() => resolver.close())
  await resolver.ready('sc-b')
  return { resolver, service }
}

/** How many answers came from which lane, with which tag. */
async function count(call: () => Promise<string>, lane: string | undefined): Promise<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (let i = 0; i < CALLS; i++) {
    const answer = await runInLane(lane, call)
    counts[answer] = (counts[answer] ?? 0) + 1
  }
  return counts
}

async function textOf(body: AsyncIterable<unknown>): Promise<string> {
  let text = ''
  for await (const chunk of body) text += String(chunk)
  return text
}

/** Calls of `node:http`, and of undici, to a service. */
function calls(t: Tap.Test, options: ConstructorParameters<typeof LaneAgent>[0], url: string) {
  const agent = new LaneAgent(options, { lookup })
  const dispatcher = composeLane(new Agent({ connect: { lookup } }), options as Parameters<typeof composeLane>[1])
  t.teardown(async () => {
    agent.destroy()
    await dispatcher.close()
  })
  return {
    'node:http': () =>
      new Promise<string>((resolve, reject) => {
        get(url, { agent }, (response: IncomingMessage) => void textOf(response).then(resolve, reject)).on(
          'error',
          reject,
        )
      }),
    undici: async () => textOf((await request(url, { dispatcher })).body),
  }
}

t.test('a sidecar that routes by Host undoes the choice of an instance', { skip }, async t => {
  const { resolver } = await mesh(t, false)
  for (const [client, call] of Object.entries(calls(t, { resolver }, 'http://sc-b/'))) {
    const gray = await count(call, 'gray')
    const base = await count(call, undefined)
    t.comment(`${client}: in lane gray ${JSON.stringify(gray)}, without lane ${JSON.stringify(base)}`)
    t.ok((gray['base gray'] ?? 0) > CALLS / 2, 'most calls of the lane end at base')
    t.ok((base['gray none'] ?? 0) > CALLS / 5, 'calls without lane end at the gray instance')
  }
})

t.test('with resolve: false and a route by the tag every call ends where it should', { skip }, async t => {
  const { resolver, service } = await mesh(t, true)
  const options = { resolver, resolve: false }
  for (const [client, call] of Object.entries(calls(t, options, `http://sc-b:${service}/`))) {
    t.strictSame(await count(call, 'gray'), { 'gray gray': CALLS }, `${client}: the lane`)
    t.strictSame(await count(call, undefined), { 'base none': CALLS }, `${client}: base`)
    t.strictSame(await count(call, 'blue'), { 'base blue': CALLS }, `${client}: a lane that has no instance`)
  }
})

t.test('resolve: false alone does not help: the sidecar has to route by the tag', { skip }, async t => {
  const { resolver, service } = await mesh(t, false)
  const options = { resolver, resolve: false }
  for (const call of Object.values(calls(t, options, `http://sc-b:${service}/`))) {
    t.ok(((await count(call, 'gray'))['base gray'] ?? 0) > CALLS / 2)
  }
})
