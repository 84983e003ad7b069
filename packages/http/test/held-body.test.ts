import { once } from 'node:events'
import http from 'node:http'
import { currentLane, runInLane } from '@laneway/core'
import { LaneAgent } from '@laneway/http'
import { cert } from '@laneway/testkit/certificate'
import { fakeResolver } from '@laneway/testkit/egress'
import t, { type Test } from 'tap'
import { farServer } from './far-server.js'

/** A first call whose endpoint may speak TLS: it has no socket before its service is known. */
async function firstCall(t: Test, options: http.RequestOptions = {}) {
  const far = await farServer(t)
  const resolver = fakeResolver({ 'sc-b': undefined })
  const agent = new LaneAgent({ resolver, endpointTls: { ca: cert } })
  t.teardown(() => agent.destroy())
  const request = http.request('http://sc-b/a', { agent, method: 'POST', ...options })
  const arrive = () => resolver.arrive('sc-b', [{ port: far.port }, { port: far.port, tag: 'gray' }])
  return { far, request, arrive }
}

async function answered(request: http.ClientRequest): Promise<void> {
  const [response] = await once(request, 'response')
  await once(response.resume(), 'end')
}

t.test('a header that is set when the socket comes arrives, although a body was piped before', async t => {
  const { far, request, arrive } = await firstCall(t)
  request.on('socket', () => request.setHeader('x-late', 'proxied'))
  process.nextTick(() => request.write('one'))
  await new Promise(setImmediate)
  t.equal(request.write('dHdv', 'base64'), true)
  request.end('three')
  t.equal(request.headersSent, false)
  arrive()
  await answered(request)
  t.equal(far.seen[0]?.body, 'onetwothree')
  t.equal(far.seen[0]?.rawHeaders.includes('proxied'), true)
  t.strictSame(
    ['write', 'end', 'flushHeaders'].filter(name => Object.hasOwn(request, name)),
    [],
  )
})

t.test('a tag that is set when the socket comes is the lane of the call', async t => {
  const { far, request, arrive } = await firstCall(t)
  request.on('socket', () => request.setHeader('x-mse-tag', 'gray'))
  request.end('body')
  arrive()
  await answered(request)
  t.strictSame(far.seen[0]?.tags, ['gray'])
})

t.test('flushHeaders waits, too, and end() without a body writes no chunk', async t => {
  const { far, request, arrive } = await firstCall(t, { method: 'GET' })
  request.on('socket', () => request.setHeader('x-late', 'flushed'))
  request.flushHeaders()
  request.end()
  arrive()
  await answered(request)
  t.equal(far.seen[0]?.rawHeaders.includes('flushed'), true)
  t.equal(far.seen[0]?.body, '')
})

t.test('callbacks come once, in their order and in the lane of the caller', async t => {
  const seen: string[] = []
  const note = (what: string) => () => void seen.push(`${what} ${currentLane()?.header}`)
  await runInLane('gray', async () => {
    const { request, arrive } = await firstCall(t)
    request.write('one', note('written'))
    request.end('two', note('ended'))
    runInLane('blue', arrive)
    await answered(request)
  })
  t.strictSame(seen, ['written gray', 'ended gray'])
})

t.test('a writer that has to wait gets drain, once', async t => {
  for (const size of [20_000, 4_000_000]) {
    const { far, request, arrive } = await firstCall(t)
    let drains = 0
    request.on('drain', () => drains++)
    t.equal(request.write('x'.repeat(size)), false)
    arrive()
    await once(request, 'drain')
    request.end()
    await answered(request)
    t.equal(drains, 1, `${size}`)
    t.equal(far.seen[0]?.body.length, size)
  }
})

t.test('a request that is given up before its socket comes sends nothing', async t => {
  const { far, request, arrive } = await firstCall(t)
  request.write('one')
  request.on('error', () => {})
  const closed = new Promise(resolve => request.on('close', resolve))
  request.destroy(new Error('mine'))
  arrive()
  await closed
  t.strictSame(far.seen, [])
  t.equal(far.connections(), 0)
})

t.test('what Node refuses it refuses at once', async t => {
  const { request, arrive } = await firstCall(t)
  t.throws(() => request.write(1 as never), { code: 'ERR_INVALID_ARG_TYPE' })
  t.throws(() => request.write(null as never), { code: 'ERR_STREAM_NULL_VALUES' })
  arrive()
  request.end()
  await answered(request)
})

t.test("somebody else's write stays in front", async t => {
  const { far, request, arrive } = await firstCall(t)
  const seen: unknown[] = []
  const { write } = request
  request.write = (...args: unknown[]) => {
    seen.push(args[0])
    return Reflect.apply(write, request, args) as boolean
  }
  request.write('one')
  arrive()
  await once(request, 'socket')
  await new Promise(setImmediate)
  request.write('two')
  request.end()
  await answered(request)
  t.strictSame(seen, ['one', 'two'])
  t.equal(far.seen[0]?.body, 'onetwo')
})
