import { mkdtempSync, rmSync } from 'node:fs'
import http from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { kLane, parseLane, runInLane } from '@laneway/core'
import { LaneAgent, type LaneAgentOptions } from '@laneway/http'
import { fakeResolver } from '@laneway/testkit/egress'
import t, { type Test } from 'tap'
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

t.test('keepHandSet leaves one line of a tag that was set by hand in two', async t => {
  const far = await farServer(t)
  const agent = agentFor(t, { keepHandSet: true })
  const url = `http://third.example:${far.port}/`
  await send(url, { agent, lookup: lookup as never, headers: { 'x-mse-tag': ['gray', 'gray'] } })
  t.strictSame(
    far.seen.map(one => one.tags),
    [['gray']],
  )
})

t.test('a tag that is set on the request after it was made is the lane of the call', async t => {
  const { base, gray, resolver } = await service(t)
  const agent = agentFor(t, { resolver })
  await new Promise<void>(resolve => {
    const request = http.request('http://sc-b/', { agent }, response => response.on('end', resolve).resume())
    request.setHeader('x-mse-tag', 'gray')
    request.end()
  })
  t.strictSame(gray.seen.pop()?.tags, ['gray'])
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

t.test('headers given as an array: never two lines on the wire', async t => {
  const { gray, resolver } = await service(t)
  const agent = agentFor(t, { resolver })
  await send('http://sc-b/', { agent, headers: ['x-mse-tag', 'gray', 'X-Mse-Tag', 'gray', 'host', 'sc-b'] as never })
  t.strictSame(
    gray.seen.map(one => one.tags),
    [['gray']],
  )
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
