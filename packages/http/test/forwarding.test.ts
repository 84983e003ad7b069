import { mkdtempSync, rmSync } from 'node:fs'
import http from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { channels, type EgressEvent, kLane, parseLane, runInLane } from '@laneway/core'
import { LaneAgent, type LaneAgentOptions } from '@laneway/http'
import t, { type Test } from 'tap'
import { fakeResolver } from './fake-resolver.js'
import { type FarServer, farServer, lookup, send } from './far-server.js'

function agentFor(t: Test, options: LaneAgentOptions = {}): LaneAgent {
  const agent = new LaneAgent({ warn: () => {}, ...options })
  t.teardown(() => agent.destroy())
  return agent
}

async function service(
  t: Test,
): Promise<{ base: FarServer; gray: FarServer; resolver: ReturnType<typeof fakeResolver> }> {
  const base = await farServer(t)
  const gray = await farServer(t)
  return { base, gray, resolver: fakeResolver({ 'sc-b': [{ port: base.port }, { port: gray.port, tag: 'gray' }] }) }
}

t.test('the tag list goes on unchanged, whatever endpoint was chosen', async t => {
  const { base, gray, resolver } = await service(t)
  const agent = agentFor(t, { resolver })
  await runInLane('gray', send, 'http://sc-b/1', { agent })
  await runInLane('blue', send, 'http://sc-b/2', { agent })
  await runInLane('gray-2,gray', send, 'http://sc-b/3', { agent })
  await send('http://sc-b/4', { agent })
  t.strictSame(
    [...gray.seen, ...base.seen].map(({ url, tags, host }) => ({ url, tags, host })),
    [
      { url: '/1', tags: ['gray'], host: 'sc-b' },
      { url: '/3', tags: ['gray-2,gray'], host: 'sc-b' },
      { url: '/2', tags: ['blue'], host: 'sc-b' },
      { url: '/4', tags: [], host: 'sc-b' },
    ],
  )
})

t.test('internal hosts and propagateTo get the tag, all others do not', async t => {
  const far = await farServer(t)
  const agent = agentFor(t, { propagateTo: ['api.partner.example', '*.ours.example', '198.51.100.0/24'] })
  const hosts: Record<string, boolean> = {
    'sc-b': true,
    'SC-B.': true,
    'sc-b.shop.svc': true,
    'sc-b.shop.svc.cluster.local': true,
    'db.internal': true,
    'printer.local': true,
    localhost: true,
    '127.0.0.1': true,
    'api.partner.example': true,
    'API.partner.example.': true,
    'deep.ours.example': true,
    'ours.example': false,
    'third.example': false,
    'api.partner.example.evil.example': false,
    'metadata.google.internal': false,
  }
  for (const [host, expected] of Object.entries(hosts)) {
    await runInLane('gray', send, `http://${host}:${far.port}/${host}`, { agent, lookup: lookup as never })
    t.strictSame(far.seen.pop()?.tags, expected ? ['gray'] : [], host)
  }
})

t.test('out of scope the tag is removed, whoever set it', async t => {
  const far = await farServer(t)
  const agent = agentFor(t)
  const url = `http://third.example:${far.port}/`
  const baggage = 'a=1 ,x-mse-tag=gray;p=1,b=%20'
  const headers = { 'X-Mse-Tag': 'gray', baggage, 'x-other': 'kept' }
  await send(url, { agent, lookup: lookup as never, headers })
  await runInLane('blue', send, url, { agent, lookup: lookup as never, headers: { 'x-mse-tag': ['gray', 'gray'] } })
  t.strictSame(
    far.seen.map(({ tags, baggage }) => ({ tags, baggage })),
    [
      { tags: [], baggage: 'a=1 ,b=%20' },
      { tags: [], baggage: undefined },
    ],
  )
  t.equal(far.seen[0]?.rawHeaders.includes('kept'), true)
  t.strictSame(headers, { 'X-Mse-Tag': 'gray', baggage, 'x-other': 'kept' }, "the caller's headers are untouched")
})

t.test('keepHandSet leaves a hand-set tag on a host out of scope, never the lane of the context', async t => {
  const far = await farServer(t)
  const agent = agentFor(t, { keepHandSet: true })
  const url = `http://third.example:${far.port}/`
  await runInLane('blue', send, url, { agent, lookup: lookup as never, headers: { 'x-mse-tag': 'gray' } })
  await runInLane('blue', send, url, { agent, lookup: lookup as never })
  const metadata = `http://metadata.google.internal:${far.port}/`
  await send(metadata, { agent, lookup: lookup as never, headers: { 'x-mse-tag': 'gray' } })
  await send(url, { agent, lookup: lookup as never, headers: { 'x-mse-tag': 'no tag' } })
  await send(url, { agent, lookup: lookup as never, headers: { 'x-mse-tag': ['gray', 'gray'] } })
  t.strictSame(
    far.seen.map(one => one.tags),
    [['gray'], [], [], [], ['gray']],
    'metadata services never get a tag, what is no tag goes nowhere, and never two lines',
  )
})

t.test('a valid tag set by hand is the lane of the call, for the pick too', async t => {
  const { base, gray, resolver } = await service(t)
  const agent = agentFor(t, { resolver })
  await runInLane('blue', send, 'http://sc-b/', { agent, headers: { 'X-MSE-TAG': 'gray' } })
  t.strictSame(gray.seen.pop()?.tags, ['gray'])
  t.equal(resolver.picks.pop()?.lane, 'gray')
  await new Promise<void>(resolve => {
    const request = http.request('http://sc-b/', { agent }, response => response.on('end', resolve).resume())
    request.setHeader('x-mse-tag', 'gray')
    request.end()
  })
  t.strictSame(gray.seen.pop()?.tags, ['gray'], 'set on the request after it was made')
  t.equal(base.seen.length, 0)
})

t.test('a tag that is set by hand until the head is written moves the request to an endpoint of its lane', async t => {
  const { base, gray, resolver } = await service(t)
  const agent = agentFor(t, { resolver })
  const sent = (value: string | undefined, tag: string | undefined) =>
    new Promise<void>((resolve, reject) => {
      runInLane(tag, () => {
        const request = http.request('http://sc-b/', { agent }, response => response.on('end', resolve).resume())
        request.on('error', reject)
        request.on('socket', () => {
          if (value === undefined) request.removeHeader('x-mse-tag')
          else request.setHeader('x-mse-tag', value)
          request.end()
        })
      })
    })
  // On a new connection first, then on one that was kept alive.
  for (let round = 0; round < 2; round++) {
    await sent('gray', undefined)
    t.strictSame(gray.seen.pop()?.tags, ['gray'])
    await sent('base', 'gray')
    t.strictSame(base.seen.pop()?.tags, ['base'])
    await sent('blue', 'gray')
    t.strictSame(base.seen.pop()?.tags, ['blue'])
    await sent(undefined, 'gray')
    t.strictSame(gray.seen.pop()?.tags, ['gray'], 'removed: the lane of the call counts')
  }
  t.equal(base.seen.length + gray.seen.length, 0)
})

t.test('an invalid tag set by hand is removed and counted, and the lane of the context counts', async t => {
  const { base, gray, resolver } = await service(t)
  const agent = agentFor(t, { resolver })
  const events = collect(t)
  for (const value of ['not a tag', ['gray', 'blue'], 'a,b,c,d,e', '__proto__']) {
    await runInLane('gray', send, 'http://sc-b/', { agent, headers: { 'x-mse-tag': value } })
    await send('http://sc-b/', { agent, headers: { 'x-mse-tag': value } })
  }
  t.strictSame(
    gray.seen.map(one => one.tags),
    [['gray'], ['gray'], ['gray'], ['gray']],
  )
  t.strictSame(
    base.seen.map(one => one.tags),
    [[], [], [], []],
  )
  t.equal(events.filter(one => one.action === 'invalid').length, 8)
  t.equal(events.filter(one => one.action === 'forwarded').length, 4)
})

t.test('never two values or two lines on the wire', async t => {
  const { gray, resolver } = await service(t)
  const agent = agentFor(t, { resolver })
  await runInLane('gray', send, 'http://sc-b/', { agent, headers: { 'x-mse-tag': ['gray', 'gray'] } })
  await runInLane('gray', send, 'http://sc-b/', { agent, headers: { 'X-MSE-Tag': 'gray' } })
  await send('http://sc-b/', { agent, headers: ['x-mse-tag', 'gray', 'X-Mse-Tag', 'gray', 'host', 'sc-b'] as never })
  t.strictSame(
    gray.seen.map(one => one.tags),
    [['gray'], ['gray'], ['gray']],
  )
})

t.test('the first time a lane is kept from a host one warning names host and option', async t => {
  const far = await farServer(t)
  const warnings: string[] = []
  const agent = agentFor(t, { warn: message => warnings.push(message) })
  const events = collect(t)
  for (const host of ['third.example', 'third.example', 'fourth.example']) {
    await runInLane('gray', send, `http://${host}:${far.port}/`, { agent, lookup: lookup as never })
  }
  await send(`http://fifth.example:${far.port}/`, { agent, lookup: lookup as never })
  t.equal(warnings.length, 2)
  t.match(warnings[0], /third\.example.*propagateTo of LaneAgent/)
  t.strictSame(
    events.map(one => `${one.action} ${one.host} ${one.lane?.header}`),
    ['blocked third.example gray', 'blocked third.example gray', 'blocked fourth.example gray'],
  )
})

t.test('foreign baggage passes byte for byte, and what contradicts the pick does not pass', async t => {
  const { base, gray, resolver } = await service(t)
  const agent = agentFor(t, { resolver })
  const foreign = 'a=1;p = q , ,b=%20'
  const mse = '__microservice_tag__=%5B%7B%22tag%22%3A%22gray%22%7D%5D'
  await runInLane('gray', send, 'http://sc-b/', { agent, headers: { baggage: foreign } })
  await runInLane('gray', send, 'http://sc-b/', { agent, headers: { baggage: `${foreign},${mse},x-mse-tag=gray` } })
  await runInLane('gray', send, 'http://sc-b/', { agent, headers: { baggage: `${foreign},x-mse-tag=blue` } })
  await send('http://sc-b/', { agent, headers: { baggage: mse } })
  t.strictSame(
    gray.seen.map(one => one.baggage),
    [foreign, `${foreign},${mse},x-mse-tag=gray`, `x-mse-tag=gray,${foreign}`],
  )
  t.strictSame(
    base.seen.map(one => one.baggage),
    [undefined],
  )
})

t.test('with the option baggage the lane is the first member for hosts in scope, and for no others', async t => {
  const { base, gray, resolver } = await service(t)
  const agent = agentFor(t, { resolver, baggage: true })
  await runInLane('gray', send, 'http://sc-b/', { agent, headers: { baggage: 'a=1,x-mse-tag=blue' } })
  await runInLane('gray-2,gray', send, 'http://sc-b/', { agent })
  await send('http://sc-b/', { agent, headers: { baggage: 'a=1' } })
  const far = await farServer(t)
  await runInLane('gray', send, `http://third.example:${far.port}/`, { agent, lookup: lookup as never })
  t.strictSame(
    [...gray.seen, ...base.seen, ...far.seen].map(one => one.baggage),
    ['x-mse-tag=gray,a=1', 'x-mse-tag=gray-2%2Cgray', 'a=1', undefined],
  )
})

t.test("another header name carries the lane, and x-mse-tag is then nobody's", async t => {
  const far = await farServer(t)
  const agent = agentFor(t, { header: 'X-Env' })
  await runInLane('gray', send, `http://localhost:${far.port}/`, { agent })
  t.match(far.seen[0]?.rawHeaders.join('|'), /x-env\|gray/i)
  t.strictSame(far.seen[0]?.tags, [])
})

t.test('socketPath requests are neither resolved nor tagged', async t => {
  // Not in t.testdir(): the path of a unix socket has about 100 characters.
  const folder = mkdtempSync(join(tmpdir(), 'laneway-'))
  const path = join(folder, 'socket')
  const seen: unknown[] = []
  const server = http.createServer((request, response) => {
    seen.push(request.headers['x-mse-tag'])
    response.end()
  })
  await new Promise<void>(resolve => server.listen(path, resolve))
  t.teardown(() => {
    server.close()
    rmSync(folder, { recursive: true })
  })
  const resolver = fakeResolver({ 'sc-b': [{ port: 1 }], localhost: [{ port: 1 }] })
  const agent = agentFor(t, { resolver })
  await runInLane('gray', send, 'http://sc-b/', { agent, socketPath: path })
  await send('http://sc-b/', { agent, socketPath: path, headers: { 'x-mse-tag': 'hand set' } })
  t.strictSame(seen, [undefined, 'hand set'])
  t.equal(resolver.picks.length, 0)
})

t.test('a lane that travels with the call wins over the context', async t => {
  const { base, gray, resolver } = await service(t)
  const agent = agentFor(t, { resolver })
  await runInLane('blue', send, 'http://sc-b/', { agent, [kLane]: parseLane('gray') } as never)
  t.strictSame(
    gray.seen.map(one => one.tags),
    [['gray']],
  )
  await runInLane('gray', send, 'http://sc-b/', { agent, [kLane]: null } as never)
  t.strictSame(
    base.seen.map(one => one.tags),
    [[]],
  )
})

t.test("a port that is not the service's goes to DNS, with the tag by scope", async t => {
  const far = await farServer(t)
  const resolver = fakeResolver({ 'sc-b': [{ port: 1 }] })
  await runInLane('gray', send, `http://sc-b:${far.port}/metrics`, {
    agent: agentFor(t, { resolver }),
    lookup: lookup as never,
  })
  t.strictSame(
    far.seen.map(one => ({ host: one.host, tags: one.tags })),
    [{ host: `sc-b:${far.port}`, tags: ['gray'] }],
  )
})

t.test('without a resolver the tag is forwarded and nothing else changes', async t => {
  const far = await farServer(t)
  const agent = agentFor(t)
  await runInLane('gray', send, `http://localhost:${far.port}/x?y=1`, { agent, method: 'POST' }, 'body')
  t.match(far.seen, [{ method: 'POST', url: '/x?y=1', tags: ['gray'], body: 'body', host: `localhost:${far.port}` }])
})

function collect(t: Test): EgressEvent[] {
  const events: EgressEvent[] = []
  const note = (event: unknown) => events.push(event as EgressEvent)
  channels.egress.subscribe(note)
  t.teardown(() => channels.egress.unsubscribe(note))
  return events
}
