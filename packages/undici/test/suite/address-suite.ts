import { createRequire } from 'node:module'
import { kAnyAddress } from '@laneway/core/internal'
import type { Endpoint } from '@laneway/discovery'
import { endpoint, fakeResolver, seenServer } from '@laneway/testkit/egress'
import type { Test } from 'tap'
import { composeLane } from '../../src/index.js'
import type { Copy } from './undici-copy.js'

type Lookup = (host: string, options: { all?: boolean }, callback: (...args: unknown[]) => void) => void

/** Resolves the given names, as a registry's DNS would. */
function resolving(...addresses: readonly string[]): Lookup {
  const answers = addresses.map(address => ({ address, family: address.includes(':') ? 6 : 4 }))
  return (_host, options, callback) =>
    process.nextTick(() =>
      options.all === true ? callback(null, answers) : callback(null, answers[0]!.address, answers[0]!.family),
    )
}

const dns = createRequire(import.meta.url)('node:dns') as { lookup: unknown }

/** Programs replace `dns.lookup`, and so does this test: nothing else reaches a dispatcher that is wrapped. */
function withDns(t: Test, lookup: Lookup): void {
  const { lookup: original } = dns
  dns.lookup = lookup
  t.teardown(() => {
    dns.lookup = original
  })
}

const FORBIDDEN = { code: 'LANEWAY_FORBIDDEN_ADDRESS', message: /evil\.example/ }

export function addressSuite(t: Test, copy: Copy): void {
  const { undici } = copy
  const resolverOf = (...endpoints: Endpoint[]) => fakeResolver({ 'sc-b': endpoints })
  const get = async (dispatcher: object, url = 'http://sc-b/') =>
    (await undici.request(url, { dispatcher: dispatcher as never })).body.dump()

  t.test('a name of a registry that leads to a metadata service is not connected to', async t => {
    for (const autoSelectFamily of [true, false]) {
      for (const address of ['169.254.169.254', 'fe80::1', '::ffff:a9fe:a9fe', 'fd00:ec2::254', '168.63.129.16']) {
        for (const more of [{}, { connections: 1 }]) {
          const agent = new undici.Agent({
            ...more,
            autoSelectFamily,
            connect: { lookup: resolving(address) } as never,
          })
          const resolver = resolverOf(endpoint('evil.example', 80))
          const dispatcher = composeLane(agent, { resolver })
          await t.rejects(get(dispatcher), FORBIDDEN, address)
          await t.rejects(get(dispatcher, 'https://sc-b/'), FORBIDDEN, `${address} over TLS`)
          t.equal(resolver.ends[0]?.end, 'connect-error')
          await dispatcher.close()
        }
      }
    }
  })

  t.test('forbidden addresses are left out of several, and other names are as they were', async t => {
    const server = await seenServer(t, 'base')
    for (const addresses of [['169.254.169.254', '127.0.0.1', 'fe80::1'], ['127.0.0.1']]) {
      const agent = new undici.Agent({ autoSelectFamily: true, connect: { lookup: resolving(...addresses) } as never })
      const dispatcher = composeLane(agent, { resolver: resolverOf(endpoint('evil.example', server.port)) })
      await get(dispatcher)
      await get(dispatcher, `http://third.example:${server.port}/`)
      await dispatcher.close()
    }
  })

  t.test('a pool that the app opened to the same place does not lend its connections', async t => {
    const server = await seenServer(t, 'base')
    let address = '127.0.0.1'
    const lookup: Lookup = (...args) => resolving(address)(...args)
    const agent = new undici.Agent({ connect: { lookup } as never })
    await get(agent, `http://evil.example:${server.port}/`)
    const dispatcher = composeLane(agent, { resolver: resolverOf(endpoint('evil.example', server.port)) })
    address = '169.254.169.254'
    await t.rejects(get(dispatcher), FORBIDDEN)
    await dispatcher.close()
  })

  t.test('a connector of the user is looked at when it has connected', async t => {
    const sockets: { destroyed: boolean }[] = []
    const connect = (_options: object, callback: (error: null, socket: object) => void) => {
      const socket = { remoteAddress: '169.254.169.254', destroyed: false, destroy: () => (socket.destroyed = true) }
      sockets.push(socket)
      process.nextTick(callback, null, socket)
    }
    const dispatcher = composeLane(new undici.Agent({ connect: connect as never }), {
      resolver: resolverOf(endpoint('evil.example', 80)),
    })
    await t.rejects(get(dispatcher), FORBIDDEN)
    t.ok(sockets.length > 0 && sockets.every(({ destroyed }) => destroyed))
    await dispatcher.close()
  })

  t.test('a dispatcher that cannot be reached gets the address that was checked', async t => {
    const server = await seenServer(t, 'base')
    const dispatcher = composeLane(new undici.RetryAgent(new undici.Agent(), { maxRetries: 0 }), {
      resolver: resolverOf(endpoint('evil.example', server.port)),
    })
    withDns(t, resolving('169.254.169.254'))
    await t.rejects(get(dispatcher), FORBIDDEN)
    withDns(t, resolving('127.0.0.1'))
    const answer = await undici.request('http://sc-b/', { dispatcher: dispatcher as never })
    t.match(await answer.body.json(), { instance: 'base', host: 'sc-b' })
    await dispatcher.close()
  })

  t.test('allowLinkLocal of the resolver lets a name lead anywhere', async t => {
    let asked: unknown
    const lookup: Lookup = (_host, options, callback) => {
      asked = options
      callback(Object.assign(new Error('asked'), { code: 'ASKED' }))
    }
    const agent = new undici.Agent({ connect: { lookup } as never })
    const free = Object.freeze({ ...endpoint('near.example', 80), [kAnyAddress]: true })
    const before = Object.getOwnPropertySymbols(agent).map(symbol => (agent as never)[symbol])
    const dispatcher = composeLane(agent, { resolver: resolverOf(free) })
    await t.rejects(get(dispatcher), { code: 'ASKED' })
    t.ok(asked)
    const after = Object.getOwnPropertySymbols(agent).map(symbol => (agent as never)[symbol])
    t.ok(
      before.every((value, index) => typeof value !== 'function' || after[index] === value),
      'nothing was put into it',
    )
    await dispatcher.close()
  })
}
