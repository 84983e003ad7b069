// How a front service is wired: with Laneway, or, for the control, with the lane read at a wrong place.
import { AsyncLocalStorage } from 'node:async_hooks'
import http from 'node:http'
import { bindLane } from '@laneway/core'
import { createLaneResolver, createStaticSource } from '@laneway/discovery'
import { expressLane } from '@laneway/express'
import { fastifyLane } from '@laneway/fastify'
import { laneChannel, laneInterceptor } from '@laneway/grpc'
import { LaneAgent, laneHandler } from '@laneway/http'
import { composeLane, createLaneFetch } from '@laneway/undici'
import { LANES, placeOf } from './backend.mjs'

const quiet = () => {}
// One for all controls: on Node 20 and 22 every storage ever entered makes each asynchronous step of the process dearer.
const storage = new AsyncLocalStorage()

/** Laneway as the READMEs say. */
export function lanewayWiring(backend) {
  const resolver = createLaneResolver({
    sources: [createStaticSource({ svc: backend.instances, 'grpc-svc': backend.grpcInstances })],
    services: ['svc', 'grpc-svc'],
  })
  const options = { resolver, warn: quiet }
  return {
    express: () => expressLane(),
    fastify: fastifyLane,
    handler: handle => laneHandler(handle),
    undici: (_name, _undici, base, ...own) => composeLane(base, options, ...own),
    fetch: () => createLaneFetch(options),
    agent: agentOptions => new LaneAgent(options, agentOptions),
    grpc: (connect, [base]) => {
      const client = connect(`grpc-svc:${base.port}`, laneChannel(options))
      return () => ({ client })
    },
    grpcServer: () => ({ interceptors: [laneInterceptor()] }),
    bind: bindLane,
    ready: () => Promise.all([resolver.ready('svc'), resolver.ready('grpc-svc')]),
    close: () => resolver.close(),
  }
}

/**
 * The faults of a control.
 *
 * - `variable`: a plain variable instead of an async context
 * - `below`: the async context, read below what the client repeats
 * - `caller`: the tag as a header of the call, so that it goes wherever the call is sent on to
 * - `unbound`: an async context that listeners and queued callbacks do not get
 * - `no-vary`: the right tag below a cache that does not know of it
 */
export function controlOf(egress, condition) {
  const undici = egress.startsWith('undici')
  const api = egress.split(' ')[1]
  if (condition === 'cross-host redirect') return 'caller'
  if (condition === 'queued callback' || condition === 'raw body listener') return 'unbound'
  if (undici && (condition === 'cache' || condition === 'deduplicate')) return 'no-vary'
  if (undici && /^(retry|retry composed outside|RetryAgent)$/.test(condition)) return 'below'
  if (undici && condition === 'same-host redirect' && api !== 'fetch') return 'below'
  return 'variable'
}

/** The same service with one fault built in. */
export function controlWiring(backend, fault) {
  let variable = ''
  const enter = (req, next) => {
    variable = req.headers['x-mse-tag'] ?? ''
    return storage.run(variable, next)
  }
  const read = () => (fault === 'variable' ? variable : (storage.getStore() ?? ''))
  const pick = tag => backend.instances[LANES.indexOf(placeOf(tag)) + 1]
  const isService = url => url.hostname === 'svc'

  const ambient = dispatch => (opts, handler) => {
    const url = new URL(opts.origin)
    const tag = fault === 'caller' ? (flat(opts.headers)['x-mse-tag'] ?? '') : read()
    const headers = { ...flat(opts.headers), host: url.host }
    if (tag !== '') headers['x-mse-tag'] = tag
    if (!isService(url)) return dispatch({ ...opts, headers }, handler)
    const { port } = pick(tag)
    return dispatch({ ...opts, origin: `http://127.0.0.1:${port}`, headers }, handler)
  }

  class AmbientAgent extends http.Agent {
    addRequest(req, options, ...rest) {
      const tag = fault === 'caller' ? (req.getHeader('x-mse-tag') ?? '') : read()
      if (tag !== '') req.setHeader('x-mse-tag', tag)
      const host = options.host ?? options.hostname
      if (host !== 'svc' && !String(req.path).startsWith('http://svc')) return super.addRequest(req, options, ...rest)
      const { port } = pick(tag)
      return super.addRequest(req, { ...options, host: '127.0.0.1', hostname: '127.0.0.1', port }, ...rest)
    }
  }

  const ambientFetch = async (url, options) => {
    const target = new URL(url)
    const tag = read()
    const headers = { ...options.headers, ...(tag === '' ? {} : { 'x-mse-tag': tag }) }
    if (isService(target)) target.host = `127.0.0.1:${pick(tag).port}`
    if (target.hostname === 'third.example') target.hostname = '127.0.0.1'
    return fetch(target, { ...options, headers })
  }

  return {
    express: () => (req, _res, next) => enter(req, next),
    fastify: Object.assign(
      async app => {
        app.addHook('onRequest', (request, _reply, done) => enter(request, done))
      },
      { [Symbol.for('skip-override')]: true },
    ),
    handler: handle => (req, res) => enter(req, () => handle(req, res)),
    undici: (_name, _undici, base, ...own) => base.compose(ambient, ...own),
    fetch: () => ambientFetch,
    agent: options => new AmbientAgent(options),
    grpc: (connect, all) => {
      const clients = all.map(({ port }) => connect(`127.0.0.1:${port}`))
      return () => {
        const tag = read()
        return { client: clients[LANES.indexOf(placeOf(tag)) + 1], tag }
      }
    },
    grpcHandler: run => (call, callback) => enter({ headers: call.metadata.getMap() }, () => run(call, callback)),
    bind: fn => fn,
    /** The tag as a caller would set it who has no adapter. */
    byHand: fault === 'caller' ? () => storage.getStore() ?? '' : undefined,
    ready: async () => {},
    close: async () => {},
  }
}

function flat(headers) {
  if (headers === undefined || headers === null) return {}
  if (Array.isArray(headers)) {
    const pairs = {}
    for (let index = 0; index < headers.length; index += 2)
      pairs[String(headers[index]).toLowerCase()] = headers[index + 1]
    return pairs
  }
  return typeof headers[Symbol.iterator] === 'function' ? Object.fromEntries(headers) : { ...headers }
}
