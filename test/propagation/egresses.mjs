// The clients of the front service. Each maker gets the wiring, the backend and the condition, and returns
// `call(url, { headers, method, signal })` -> `{ status, text }`, and `close()`.
import http from 'node:http'
import { createRequire } from 'node:module'
import { Writable } from 'node:stream'
import { lookup } from './backend.mjs'
import { onGrpc } from './grpc.mjs'

const require = createRequire(import.meta.url)
const GENERATIONS = { undici6: 'undici6', undici7: 'undici', undici8: 'undici8' }

export const EGRESSES = {
  ...Object.fromEntries(
    Object.keys(GENERATIONS).flatMap(name =>
      ['request', 'fetch', 'stream', 'pipeline'].map(api => [
        `${name} ${api}`,
        (...args) => onUndici(name, api, ...args),
      ]),
    ),
  ),
  createLaneFetch: onLaneFetch,
  'http.get': onHttpGet,
  axios: onAxios,
  got: onGot,
  WebSocket: onWebSocket,
  'grpc-js unary': (...args) => onGrpc('unary', ...args),
  'grpc-js bidi': (...args) => onGrpc('chat', ...args),
}

function onUndici(name, api, wiring, backend, condition) {
  const undici = require(GENERATIONS[name])
  const { Agent, ProxyAgent, RetryAgent, interceptors } = undici
  const retry = () => interceptors.retry({ maxRetries: 3, minTimeout: 1, timeoutFactor: 1 })
  const retryOptions = { maxRetries: 3, minTimeout: 1, timeoutFactor: 1 }
  const redirect = () => interceptors.redirect({ maxRedirections: 3 })
  const agent = options => new Agent({ connect: { lookup }, ...options })
  const compose = (base, ...own) => wiring.undici(name, undici, base, ...own)
  // Repeats have to meet connections that other requests opened: on fresh ones a wrong place looks right.
  const shared = () => agent({ connections: 8 })
  const byCondition = {
    'bounded pool': () => compose(agent({ connections: 2 })),
    retry: () => compose(shared(), retry()),
    'retry composed outside': () => compose(shared()).compose(retry()),
    RetryAgent: () => new RetryAgent(compose(shared()), retryOptions),
    'same-host redirect': () => (api === 'fetch' ? compose(shared()) : compose(shared(), redirect())),
    'cross-host redirect': () => (api === 'fetch' ? compose(agent()) : compose(agent(), redirect())),
    'keep-alive': () => compose(agent({ connections: 16 })),
    pipelining: () => compose(agent({ connections: 4, pipelining: 4 })),
    'HTTP proxy': () => compose(new ProxyAgent(backend.proxyUrl)),
    cache: () => compose(agent(), interceptors.cache()),
    deduplicate: () => compose(agent(), interceptors.deduplicate({ excludeHeaderNames: ['x-id', 'x-expected'] })),
  }
  const dispatcher = (byCondition[condition] ?? (() => compose(agent())))()
  const calls = {
    async request(url, options) {
      const { statusCode, body } = await undici.request(url, { ...options, dispatcher })
      return { status: statusCode, text: await body.text() }
    },
    async fetch(url, options) {
      const response = await undici.fetch(url, { ...options, dispatcher })
      return { status: response.status, text: await response.text() }
    },
    async stream(url, options) {
      let status = 0
      const chunks = []
      await undici.stream(url, { ...options, method: options.method ?? 'GET', dispatcher }, ({ statusCode }) => {
        status = statusCode
        return new Writable({
          write(chunk, _encoding, done) {
            chunks.push(chunk)
            done()
          },
        })
      })
      return { status, text: Buffer.concat(chunks).toString() }
    },
    pipeline(url, options) {
      return new Promise((resolve, reject) => {
        let status = 0
        const chunks = []
        undici
          .pipeline(url, { ...options, method: options.method ?? 'GET', dispatcher }, ({ statusCode, body }) => {
            status = statusCode
            return body
          })
          .on('data', chunk => chunks.push(chunk))
          .on('end', () => resolve({ status, text: Buffer.concat(chunks).toString() }))
          .on('error', reject)
          .end()
      })
    },
  }
  return { call: calls[api], close: () => dispatcher.destroy?.() ?? dispatcher.close?.() }
}

function onLaneFetch(wiring) {
  const laneFetch = wiring.fetch()
  return {
    async call(url, options) {
      const response = await laneFetch(url, options)
      return { status: response.status, text: await response.text() }
    },
    close() {},
  }
}

const agentOf = (wiring, condition) =>
  wiring.agent({
    keepAlive: true,
    lookup,
    ...(condition === 'bounded pool' ? { maxSockets: 2 } : {}),
    ...(condition === 'keep-alive' ? { maxSockets: 16 } : {}),
  })

function onHttpGet(wiring, backend, condition) {
  const agent = agentOf(wiring, condition)
  const viaProxy = condition === 'HTTP proxy' ? new URL(backend.proxyUrl) : undefined
  return {
    call: (url, { headers, signal }) =>
      new Promise((resolve, reject) => {
        // An absolute-form target to a proxy, as clients with http_proxy send it.
        const { host } = new URL(url)
        const target =
          viaProxy === undefined ? url : { host: viaProxy.hostname, port: viaProxy.port, path: url, setHost: false }
        const options = { agent, signal, headers: viaProxy === undefined ? headers : { ...headers, host } }
        const respond = res => {
          let text = ''
          res.setEncoding('utf8')
          res.on('data', chunk => (text += chunk))
          res.on('end', () => resolve({ status: res.statusCode, text }))
          res.on('error', reject)
        }
        const req =
          viaProxy === undefined ? http.get(target, options, respond) : http.get({ ...target, ...options }, respond)
        req.on('error', reject)
      }),
    close: () => agent.destroy(),
  }
}

function onAxios(wiring, backend, condition) {
  const axios = require('axios')
  const agent = agentOf(wiring, condition)
  const { hostname, port } = new URL(backend.proxyUrl)
  const proxy = condition === 'HTTP proxy' ? { host: hostname, port: Number(port), protocol: 'http' } : false
  const client = axios.create({ httpAgent: agent, proxy, validateStatus: () => true, responseType: 'text' })
  return {
    async call(url, { headers, signal }) {
      const { status, data } = await client.get(url, { headers, signal })
      return { status, text: data }
    },
    close: () => agent.destroy(),
  }
}

function onGot(wiring, backend, condition) {
  const agent = agentOf(wiring, condition)
  const client = import('got').then(({ got }) =>
    got.extend({
      agent: { http: agent },
      throwHttpErrors: false,
      dnsLookup: lookup,
      retry: condition === 'retry' ? { limit: 3, backoffLimit: 5, statusCodes: [503] } : { limit: 0 },
      ...(condition === 'cache' ? { cache: new Map() } : {}),
    }),
  )
  const viaProxy = condition === 'HTTP proxy' ? new URL(backend.proxyUrl) : undefined
  return {
    async call(url, { headers, signal }) {
      const options = { headers, signal }
      if (viaProxy !== undefined) {
        const { host } = new URL(url)
        options.hooks = {
          beforeRequest: [
            it => {
              it.request = (_url, raw, callback) =>
                http.request(
                  {
                    ...raw,
                    host: viaProxy.hostname,
                    hostname: viaProxy.hostname,
                    port: viaProxy.port,
                    path: url,
                    headers: { ...raw.headers, host },
                  },
                  callback,
                )
            },
          ],
        }
      }
      const { statusCode, body } = await (await client)(url, options)
      return { status: statusCode, text: body }
    },
    close: () => agent.destroy(),
  }
}

function onWebSocket(wiring, _backend, condition) {
  const WebSocket = require('ws')
  const agent = agentOf(wiring, condition)
  return {
    call: (url, { headers, signal }) =>
      new Promise((resolve, reject) => {
        const socket = new WebSocket(url.replace('http:', 'ws:'), { agent, headers })
        signal?.addEventListener('abort', () => socket.terminate())
        let text = ''
        socket.on('message', data => (text += data))
        socket.on('close', () => resolve({ status: 200, text }))
        socket.on('error', reject)
      }),
    close: () => agent.destroy(),
  }
}
