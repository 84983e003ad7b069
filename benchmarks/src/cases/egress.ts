import { AsyncLocalStorage } from 'node:async_hooks'
import * as http from 'node:http'
import { runInLane } from '@laneway/core'
import { createLaneResolver, createStaticSource, type LaneResolver } from '@laneway/discovery'
import { LaneAgent } from '@laneway/http'
import { composeLane } from '@laneway/undici'
import { Agent, type Dispatcher } from 'undici'
import { expect, type Row, type Subject, type Table } from '../case.js'

const OPS = 256
const storage = new AsyncLocalStorage<string | undefined>()

/** What arrived at the place where a request would be written. */
interface Arrived {
  count: number
  tag: unknown
  host: unknown
  target: string
}

function createArrived(): Arrived {
  return { count: 0, tag: undefined, host: undefined, target: '' }
}

async function resolverOf(): Promise<LaneResolver> {
  const services = {
    'sc-b': [
      { host: '10.0.0.1', port: 8080 },
      { host: '10.0.0.2', port: 8080, tags: ['gray'] },
      { host: '10.0.0.3', port: 8080, tags: ['blue'] },
    ],
  }
  const resolver = createLaneResolver({ sources: [createStaticSource(services)], services: ['sc-b'] })
  await resolver.ready('sc-b')
  return resolver
}

const endpoints = new Map([
  ['gray', '10.0.0.2:8080'],
  ['base', '10.0.0.1:8080'],
])

function expected(arrived: Arrived, tag: string | undefined, hit: boolean): void {
  expect(arrived.count > 0, 'nothing was sent')
  if (!hit) return
  const target = endpoints.get(tag ?? 'base')!
  expect(arrived.tag === tag, `tag ${String(arrived.tag)} instead of ${tag}`)
  expect(arrived.host === 'sc-b', `host ${String(arrived.host)}`)
  expect(arrived.target.endsWith(target), `sent to ${arrived.target} instead of ${target}`)
}

// undici

/** An agent that answers at once, so that what is timed is what stands above it. */
class AnsweringAgent extends Agent {
  readonly arrived = createArrived()
  #last: Dispatcher.DispatchOptions | undefined

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    this.arrived.count++
    this.#last = options
    const controller = CONTROLLER as never
    handler.onRequestStart?.(controller, undefined)
    handler.onResponseStart?.(controller, 200, RESPONSE_HEADERS, 'OK')
    handler.onResponseEnd?.(controller, {})
    return true
  }

  look(): Arrived {
    const options = this.#last!
    const { headers } = options
    const flat = Array.isArray(headers) ? headers : Object.entries(headers ?? {}).flat()
    const value = (name: string): unknown => {
      const at = flat.indexOf(name)
      return at === -1 ? undefined : flat[at + 1]
    }
    this.arrived.tag = value('x-mse-tag')
    this.arrived.host = value('host')
    this.arrived.target = String(options.origin)
    return this.arrived
  }
}

const CONTROLLER = { aborted: false, paused: false, reason: null, abort() {}, pause() {}, resume() {} }
const RESPONSE_HEADERS = { 'content-type': 'application/json', 'content-length': '2' }

class Handler {
  ended = false
  onRequestStart(): void {}
  onResponseStart(): void {}
  onResponseData(): void {}
  onResponseEnd(): void {
    this.ended = true
  }
  onResponseError(): void {}
}

function dispatching(
  tag: string | undefined,
  hit: boolean,
  make: (agent: AnsweringAgent) => Dispatcher | Promise<Dispatcher>,
  enter: <R>(fn: () => R) => R,
): NonNullable<Row['subject']> {
  return async (): Promise<Subject> => {
    const agent = new AnsweringAgent()
    const dispatcher = await make(agent)
    const loop = (): Handler => {
      let handler = new Handler()
      for (let i = 0; i < OPS; i++) {
        handler = new Handler()
        const headers = { accept: 'application/json', 'user-agent': 'bench', 'x-request-id': 'a1b2c3' }
        dispatcher.dispatch({ origin: 'http://sc-b', path: '/orders/7', method: 'GET', headers }, handler as never)
      }
      return handler
    }
    return {
      ops: OPS,
      run: () => enter(loop),
      check(result) {
        expect((result as Handler).ended, 'the request did not end')
        expected(agent.look(), tag, hit)
      },
    }
  }
}

/** Written by hand for this one purpose: the header, Host, server name and origin, on a copy. */
function byHand(agent: AnsweringAgent): Dispatcher {
  return agent.compose(dispatch => (options, handler) => {
    const lane = storage.getStore()
    const endpoint = endpoints.get(lane ?? 'base')
    const headers: Record<string, string> = { ...(options.headers as Record<string, string>), host: 'sc-b' }
    if (lane !== undefined) headers['x-mse-tag'] = lane
    return dispatch({ ...options, origin: `http://${endpoint}`, servername: 'sc-b', headers } as never, handler)
  })
}

function undiciRows(tag: string | undefined): Row[] {
  const name = tag === undefined ? 'untagged' : 'tagged'
  return [
    {
      name: `${name}/by hand`,
      floor: true,
      subject: dispatching(tag, true, byHand, fn => storage.run(tag, fn)),
    },
    {
      name: `${name}/plain agent`,
      peer: true,
      subject: dispatching(
        tag,
        false,
        agent => agent,
        fn => fn(),
      ),
    },
    {
      name: `${name}/lane`,
      subject: dispatching(
        tag,
        true,
        async agent => composeLane(agent, { resolver: await resolverOf() }),
        fn => runInLane(tag, fn),
      ),
    },
  ]
}

// node:http

/** Takes the place of Node's agent, so that no connection is made. */
function stubAddRequest(arrived: Arrived): { last: http.ClientRequest | undefined; options: object } {
  const seen: { last: http.ClientRequest | undefined; options: object } = { last: undefined, options: {} }
  const stub = (request: http.ClientRequest, options: object): void => {
    arrived.count++
    seen.last = request
    seen.options = options
  }
  ;(http.Agent.prototype as unknown as { addRequest: typeof stub }).addRequest = stub
  return seen
}

class ByHandAgent extends http.Agent {
  addRequest(request: http.ClientRequest, options: { host: string; port: number; servername?: string }): void {
    const lane = storage.getStore()
    const [host, port] = endpoints.get(lane ?? 'base')!.split(':')
    if (lane !== undefined) request.setHeader('x-mse-tag', lane)
    const hop = { ...options, host: host!, port: Number(port), servername: 'sc-b' }
    ;(http.Agent.prototype as unknown as { addRequest(r: unknown, o: unknown): void }).addRequest.call(
      this,
      request,
      hop,
    )
  }
}

function requesting(
  tag: string | undefined,
  hit: boolean,
  make: () => http.Agent | Promise<http.Agent>,
  enter: <R>(fn: () => R) => R,
): NonNullable<Row['subject']> {
  return async (): Promise<Subject> => {
    const arrived = createArrived()
    const seen = stubAddRequest(arrived)
    const agent = await make()
    const headers = { accept: 'application/json', 'x-request-id': 'a1b2c3' }
    let requests: http.ClientRequest[] = []
    const loop = (): void => {
      for (let i = 0; i < OPS; i++) {
        const request = http.request({ host: 'sc-b', path: '/orders/7', method: 'GET', headers, agent })
        request.on('error', ignore)
        requests.push(request)
      }
    }
    return {
      ops: OPS,
      asynchronous: true,
      // A request that never ends is kept by whoever waits for its end.
      prepare() {
        for (const request of requests) request.destroy()
        requests = []
      },
      // What a call leaves for the next tick belongs to it.
      run() {
        enter(loop)
        return new Promise(resolve => setImmediate(resolve))
      },
      check() {
        arrived.tag = seen.last!.getHeader('x-mse-tag')
        arrived.host = seen.last!.getHeader('host')
        // The connection that would be taken.
        arrived.target = agent.getName(seen.options).replace(/:+$/, '')
        expected(arrived, tag, hit)
      },
    }
  }
}

function ignore(): void {}

function httpRows(tag: string | undefined): Row[] {
  const name = tag === undefined ? 'untagged' : 'tagged'
  return [
    {
      name: `${name}/by hand`,
      floor: true,
      subject: requesting(
        tag,
        true,
        () => new ByHandAgent(),
        fn => storage.run(tag, fn),
      ),
    },
    {
      name: `${name}/plain agent`,
      peer: true,
      subject: requesting(
        tag,
        false,
        () => new http.Agent(),
        fn => fn(),
      ),
    },
    {
      name: `${name}/lane`,
      subject: requesting(
        tag,
        true,
        async () => new LaneAgent({ resolver: await resolverOf() }),
        fn => runInLane(tag, fn),
      ),
    },
  ]
}

const TARGETS = ['tagged', 'untagged'].map(name => ({
  row: `${name}/lane`,
  figure: 'ns',
  per: `${name}/by hand`,
  atMost: 1.5,
}))

export const egress: readonly Table[] = [
  {
    name: 'egress/undici/inject',
    about:
      'A dispatch through `composeLane`, its resolver included, to an agent that answers at once, against an interceptor written by hand that sets the header, Host, server name and origin on a copy.',
    rows: [...undiciRows('gray'), ...undiciRows(undefined)],
    targets: TARGETS,
  },
  {
    name: 'egress/http/inject',
    about:
      '`http.request` through `LaneAgent`, its resolver included, up to the point where a connection would be taken, against an agent written by hand that does the same.',
    rows: [...httpRows('gray'), ...httpRows(undefined)],
    targets: TARGETS,
  },
]
