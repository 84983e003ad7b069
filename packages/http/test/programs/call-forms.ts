import { once } from 'node:events'
import http from 'node:http'
import https from 'node:https'
import net from 'node:net'
import type { Call } from './event-traces.js'

/** Longer than a busy machine needs to connect twice. */
const IDLE_MS = 250

type Form = (call: Call) => Promise<unknown> | unknown

/** Marks the moments around a call, so that a trace shows at which of them an event came. */
function moments({ note }: Call): void {
  process.nextTick(note, 'tick')
  queueMicrotask(() => note('microtask'))
  note('returned')
}

async function get(call: Call, path: string, options: http.RequestOptions = {}): Promise<void> {
  const request = http.get(call.url + path, { agent: call.agent(), ...call.options, ...options })
  const closed = call.watch(request)
  moments(call)
  await closed
}

function open(call: Call, path: string, options: http.RequestOptions = {}): http.ClientRequest {
  return http.request(call.url + path, { agent: call.agent(), ...call.options, ...options })
}

/** Destroys a request when an event comes. */
const destroyedOn =
  (event: string, path: string, how: 'destroy' | 'abort' | 'error' = 'destroy'): Form =>
  async call => {
    const request = open(call, path, { method: 'POST' })
    const closed = call.watch(request)
    request.on(event, () => {
      if (how === 'abort') request.abort()
      else request.destroy(how === 'error' ? new Error('mine') : undefined)
    })
    request.end('body')
    moments(call)
    await closed
  }

/** Destroys a request a few turns after it was made. */
const destroyedAfter =
  (turns: number, how: 'destroy' | 'abort' | 'error' | 'signal' = 'destroy', path = '/hang'): Form =>
  async call => {
    const control = new AbortController()
    const request = open(call, path, how === 'signal' ? { signal: control.signal } : {})
    const closed = call.watch(request)
    const arrived = call.arrived()
    request.end()
    moments(call)
    for (let turn = 0; turn < turns; turn++) await Promise.resolve()
    if (turns > 3) await arrived
    if (how === 'abort') request.abort()
    else if (how === 'signal') control.abort()
    else request.destroy(how === 'error' ? new Error('mine') : undefined)
    await closed
  }

export const forms: Record<string, Form> = {
  GET: call => get(call, '/ok'),
  HEAD: call => get(call, '/ok', { method: 'HEAD' }),
  'GET without an agent of its own': async call => {
    const request = http.get(`${call.url}/ok`, { ...call.options, agent: false })
    await call.watch(request)
  },
  'a connection of the caller': async call => {
    const request = http.get(`${call.url}/ok`, {
      ...call.options,
      createConnection: options => net.connect(options as never),
    })
    const closed = call.watch(request)
    moments(call)
    await closed
  },
  'POST with a length': async call => {
    const request = open(call, '/ok', { method: 'POST', headers: { 'content-length': 4 } })
    const closed = call.watch(request)
    request.end('body', () => call.note('callback of end'))
    moments(call)
    await closed
  },
  'POST in chunks': async call => {
    const request = open(call, '/ok', { method: 'POST' })
    const closed = call.watch(request)
    request.write('one', () => call.note('callback of write'))
    moments(call)
    setTimeout(() => request.end('two'), 10)
    await closed
  },
  'POST of more than the socket takes': async call => {
    const request = open(call, '/ok', { method: 'POST' })
    const closed = call.watch(request)
    call.note(`written ${request.write('x'.repeat(1_000_000))}`)
    request.once('drain', () => request.end())
    await closed
  },
  'POST that is answered before its end': async call => {
    const request = open(call, '/early', { method: 'POST' })
    const closed = call.watch(request)
    request.write('one')
    request.on('response', () => setTimeout(() => request.end(), 10))
    await closed
  },
  'Expect: 100-continue': async call => {
    const request = open(call, '/ok', { method: 'POST', headers: { expect: '100-continue' } })
    const closed = call.watch(request)
    request.on('continue', () => request.end('body'))
    moments(call)
    await closed
  },
  'early hints': call => get(call, '/hints'),
  'headers as an array': call => get(call, '/ok', { headers: ['Host', 'x', 'X-Late', 'array'] as never }),
  'flushHeaders before the body': async call => {
    const request = open(call, '/ok', { method: 'POST' })
    const closed = call.watch(request)
    request.flushHeaders()
    moments(call)
    setTimeout(() => request.end('body'), 20)
    await closed
  },
  'a header set in the same tick': async call => {
    const request = open(call, '/ok')
    const closed = call.watch(request)
    request.setHeader('x-late', 'same tick')
    request.end()
    await closed
  },
  'a header set when the socket comes': async call => {
    const request = open(call, '/ok')
    const closed = call.watch(request)
    request.on('socket', () => {
      request.setHeader('x-late', 'socket')
      request.end()
    })
    await closed
  },
  'a header set as a proxy does, while a body is piped': async call => {
    const request = open(call, '/ok', { method: 'POST' })
    const closed = call.watch(request)
    request.on('socket', () => request.setHeader('x-late', 'proxied'))
    // What a server request is when it is piped: its data come in the next turns of the queue.
    process.nextTick(() => request.write('body'))
    process.nextTick(() => process.nextTick(() => request.end()))
    await closed
  },
  'a header set later': async call => {
    const request = open(call, '/ok')
    const closed = call.watch(request)
    const [socket] = await once(request, 'socket')
    await once(socket, 'ready')
    request.setHeader('x-late', 'later')
    request.end()
    await closed
  },
  'a header set too late': async call => {
    const request = open(call, '/ok')
    const closed = call.watch(request)
    request.end()
    request.on('socket', () => {
      try {
        request.setHeader('x-late', 'too late')
      } catch (error) {
        call.note(String((error as { code?: string }).code))
      }
    })
    await closed
  },
  'keep-alive, three in a row': async call => {
    const agent = call.agent({ keepAlive: true })
    agent.on('free', () => call.note('agent: free'))
    for (const name of ['first', 'second', 'third']) {
      const request = http.get(`${call.url}/ok`, { ...call.options, agent })
      const closed = call.watch(request, name)
      call.note(`reused ${request.reusedSocket}`)
      call.pools(agent)
      moments(call)
      await closed
      call.pools(agent)
    }
  },
  'keep-alive that the server ends': async call => {
    const agent = call.agent({ keepAlive: true })
    for (const name of ['first', 'second']) {
      await call.watch(http.get(`${call.url}/close`, { ...call.options, agent }), name)
      call.pools(agent)
    }
  },
  'a queue at maxSockets 1': async call => {
    const agent = call.agent({ maxSockets: 1, keepAlive: true })
    const all = ['first', 'second', 'third'].map(name => {
      const request = http.get(`${call.url}/ok`, { ...call.options, agent })
      return call.watch(request, name)
    })
    call.pools(agent)
    moments(call)
    await Promise.all(all)
    call.pools(agent)
  },
  'a queue at maxSockets 1 without keep-alive': async call => {
    const agent = call.agent({ maxSockets: 1 })
    const all = ['first', 'second'].map(name =>
      call.watch(http.get(`${call.url}/ok`, { ...call.options, agent }), name),
    )
    call.pools(agent)
    await Promise.all(all)
    call.pools(agent)
  },
  'given up in the queue': async call => {
    const agent = call.agent({ maxSockets: 1 })
    const first = call.watch(http.get(`${call.url}/slow`, { ...call.options, agent }), 'first')
    const given = http.get(`${call.url}/ok`, { ...call.options, agent })
    const second = call.watch(given, 'second')
    given.destroy()
    call.pools(agent)
    await Promise.all([first, second])
    call.pools(agent)
  },
  'agent.destroy() while it connects': async call => {
    const agent = call.agent()
    const closed = call.watch(http.get(`${call.url}/ok`, { ...call.options, agent }))
    agent.destroy()
    await closed
  },
  'agent.destroy() while it waits for the answer': async call => {
    const agent = call.agent({ keepAlive: true })
    const arrived = call.arrived()
    const closed = call.watch(http.get(`${call.url}/hang`, { ...call.options, agent }))
    await arrived
    agent.destroy()
    await closed
  },
  'createConnection of an agent': async call => {
    const agent = call.agent()
    const own = agent as unknown as { createConnection(options: any, done: unknown): unknown }
    own.createConnection = (options, done) => {
      call.note(`connects to ${options.host}:${options.port}, ${typeof done}`)
      return net.connect(options)
    }
    await call.watch(http.get(`${call.url}/ok`, { ...call.options, agent }))
  },
  'createConnection of an agent that answers later': async call => {
    const agent = call.agent()
    const own = agent as unknown as {
      createConnection(options: any, done: (error: null, socket: net.Socket) => void): void
    }
    own.createConnection = (options, done) => {
      setTimeout(() => done(null, net.connect(options)), 10)
    }
    await call.watch(http.get(`${call.url}/ok`, { ...call.options, agent }))
  },
  'timeout option, idle': async call => {
    const request = http.get(`${call.url}/hang`, { agent: call.agent(), ...call.options, timeout: IDLE_MS })
    request.on('timeout', () => request.destroy())
    await call.watch(request)
  },
  'timeout of the agent': async call => {
    const request = http.get(`${call.url}/hang`, { ...call.options, agent: call.agent({ timeout: IDLE_MS }) })
    request.on('timeout', () => request.destroy(new Error('too late')))
    await call.watch(request)
  },
  'setTimeout with a callback': async call => {
    const request = http.get(`${call.url}/hang`, { agent: call.agent(), ...call.options })
    request.setTimeout(IDLE_MS, () => {
      call.note('callback of setTimeout')
      request.destroy()
    })
    await call.watch(request)
  },
  'setNoDelay, setSocketKeepAlive and setTimeout before it connects': async call => {
    const request = open(call, '/ok')
    const closed = call.watch(request)
    request.setNoDelay(true)
    request.setSocketKeepAlive(true, 1000)
    request.setTimeout(10_000)
    request.on('socket', socket => socket.once('connect', () => call.note(`timeout ${socket.timeout}`)))
    request.end()
    await closed
  },
  'no listener for the response': async call => {
    const request = http.get(`${call.url}/ok`, { agent: call.agent(), ...call.options })
    request.on('close', () => call.note('close'))
    await once(request, 'close')
  },
  'destroyed at once': destroyedAfter(0),
  'destroyed at once with an error': destroyedAfter(0, 'error'),
  'aborted at once': destroyedAfter(0, 'abort'),
  'destroyed after a microtask': destroyedAfter(1),
  'destroyed while it waits': destroyedAfter(4),
  'aborted while it waits': destroyedAfter(4, 'abort'),
  'destroyed with an error while it waits': destroyedAfter(4, 'error'),
  'signal at once': destroyedAfter(0, 'signal'),
  'signal while it waits': destroyedAfter(4, 'signal'),
  'a signal that was aborted before': async call => {
    const request = http.get(`${call.url}/ok`, { agent: call.agent(), ...call.options, signal: AbortSignal.abort() })
    await call.watch(request)
  },
  'AbortSignal.timeout': async call => {
    const signal = AbortSignal.timeout(IDLE_MS)
    await call.watch(http.get(`${call.url}/hang`, { agent: call.agent(), ...call.options, signal }))
  },
  'destroyed on socket': destroyedOn('socket', '/ok'),
  'aborted on socket': destroyedOn('socket', '/ok', 'abort'),
  'destroyed with an error on socket': destroyedOn('socket', '/ok', 'error'),
  'destroyed on finish': destroyedOn('finish', '/hang'),
  'destroyed on response': destroyedOn('response', '/half'),
  'aborted on response': destroyedOn('response', '/half', 'abort'),
  'the socket destroyed on socket': async call => {
    const request = http.get(`${call.url}/ok`, { agent: call.agent(), ...call.options })
    const closed = call.watch(request)
    request.on('socket', socket => socket.destroy(new Error('mine')))
    await closed
  },
  'the socket destroyed on connect': async call => {
    const request = http.get(`${call.url}/hang`, { agent: call.agent(), ...call.options })
    const closed = call.watch(request)
    request.on('socket', socket => socket.on('connect', () => socket.destroy()))
    await closed
  },
  'a reset before the answer': call => get(call, '/reset'),
  'a reset within the answer': call => get(call, '/half'),
  'a connection that is refused': async call => {
    const request = http.get(`${call.refused}/ok`, { agent: call.agent(), ...call.options })
    const closed = call.watch(request)
    moments(call)
    await closed
  },
  'refused and tried again in the error handler': async call => {
    const agent = call.agent({ maxSockets: 1 })
    const second = new Promise<void>(resolve => {
      const first = http.get(`${call.refused}/ok`, { ...call.options, agent })
      void call.watch(first, 'first')
      first.on('error', () => resolve(call.watch(http.get(`${call.url}/ok`, { ...call.options, agent }), 'second')))
    })
    await second
  },
  upgrade: async call => {
    const request = open(call, '/ok', { headers: { connection: 'Upgrade', upgrade: 'echo' } })
    const closed = call.watch(request)
    request.end()
    const [response, socket, head] = await once(request, 'upgrade')
    call.note(`upgrade ${response.statusCode} ${head}`)
    const over = once(socket, 'close')
    socket.resume().end()
    await Promise.all([closed, over])
  },
  'an upgrade that is refused': async call => {
    const request = open(call, '/refuse', { headers: { connection: 'Upgrade', upgrade: 'echo' } })
    const closed = call.watch(request)
    request.on('upgrade', () => call.note('upgrade'))
    request.end()
    await closed
  },
  CONNECT: async call => {
    const request = open(call, '', { method: 'CONNECT', path: 'far.example:443' })
    const closed = call.watch(request)
    request.end()
    const [response, socket] = await once(request, 'connect')
    call.note(`connect ${response.statusCode}`)
    const over = once(socket, 'close')
    socket.destroy()
    await Promise.all([closed, over])
  },
  'https GET': async call => {
    const request = https.get(`${call.secureUrl}/ok`, { agent: call.secureAgent(), ...call.options })
    const closed = call.watch(request)
    moments(call)
    await closed
  },
  'https keep-alive': async call => {
    const agent = call.secureAgent({ keepAlive: true })
    for (const name of ['first', 'second']) {
      await call.watch(https.get(`${call.secureUrl}/ok`, { ...call.options, agent }), name)
      call.pools(agent)
    }
  },
  'https keylog': async call => {
    const agent = call.secureAgent()
    let lines = 0
    agent.on('keylog', () => lines++)
    await call.watch(https.get(`${call.secureUrl}/ok`, { ...call.options, agent }))
    call.note(`keylog ${lines > 0}`)
  },
  'https with a name that the certificate does not have': async call => {
    const options = { ...call.options, agent: call.secureAgent(), servername: 'wrong.example' }
    await call.watch(https.get(`${call.secureUrl}/ok`, options))
  },
}
