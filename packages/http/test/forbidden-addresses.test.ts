import { runInLane } from '@laneway/core'
import { createLaneResolver, createStaticSource, type LaneResolverOptions } from '@laneway/discovery'
import { LaneAgent, LaneHttpsAgent } from '@laneway/http'
import t, { type Test } from 'tap'
import { closedPort, farServer, send } from './far-server.js'

const METADATA = [
  '169.254.169.254',
  '::ffff:a9fe:a9fe',
  'fe80::1',
  'fd00:ec2::254',
  '168.63.129.16',
  '64:ff9b::a9fe:a9fe',
]

interface Answer {
  readonly address: string
  readonly family: number
}

/** Resolves the given names, as a registry's DNS would. */
function resolving(...addresses: readonly string[]) {
  const answers: Answer[] = addresses.map(address => ({ address, family: address.includes(':') ? 6 : 4 }))
  return (_host: string, options: { all?: boolean }, callback: (...args: unknown[]) => void) =>
    process.nextTick(() =>
      options.all === true ? callback(null, answers) : callback(null, answers[0]!.address, answers[0]!.family),
    )
}

async function agent(t: Test, port: number, agentOptions: object, options: Partial<LaneResolverOptions> = {}) {
  const source = createStaticSource({ 'sc-b': [{ host: 'evil.example', port }] })
  const resolver = createLaneResolver({ sources: [source], services: ['sc-b'], env: {}, ...options })
  await resolver.ready('sc-b')
  const both = [LaneAgent, LaneHttpsAgent].map(Class => new Class({ resolver, warn() {} }, agentOptions))
  t.teardown(() => {
    for (const one of both) one.destroy()
    return resolver.close()
  })
  return both
}

for (const autoSelectFamily of [true, false]) {
  t.test(
    `a name of a registry that leads to a metadata service is not connected to, autoSelectFamily ${autoSelectFamily}`,
    async t => {
      for (const address of METADATA) {
        const [plain, secure] = await agent(t, 80, { lookup: resolving(address), autoSelectFamily })
        for (const [url, used] of [
          ['http://sc-b/', plain],
          ['https://sc-b/', secure],
        ] as const) {
          const error = await runInLane('gray', send, url, { agent: used! }).catch(error => error)
          t.match(
            error,
            { code: 'LANEWAY_FORBIDDEN_ADDRESS', message: /evil\.example.*allowLinkLocal/ },
            `${url} ${address}`,
          )
        }
      }
    },
  )
}

t.test('of several addresses the forbidden ones are left out', async t => {
  const far = await farServer(t)
  const [used] = await agent(t, far.port, { lookup: resolving('169.254.169.254', '127.0.0.1', 'fe80::1') })
  t.equal((await runInLane('gray', send, 'http://sc-b/', { agent: used! })).status, 200)
})

t.test('a name that leads elsewhere, and a failure of DNS, are as they were', async t => {
  const far = await farServer(t)
  const [used] = await agent(t, far.port, { lookup: resolving('127.0.0.1') })
  t.equal((await runInLane('gray', send, 'http://sc-b/', { agent: used! })).status, 200)
  const [failing] = await agent(t, far.port, {
    lookup: (_host: string, _options: object, callback: (error: Error) => void) =>
      callback(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' })),
  })
  const error = await runInLane('gray', send, 'http://sc-b/', { agent: failing! }).catch(error => error)
  t.match(error, { code: 'ENOTFOUND' })
})

t.test('a host that is no service resolves as without Laneway', async t => {
  const far = await farServer(t)
  const seen: string[] = []
  const lookup = (host: string, options: { all?: boolean }, callback: (...args: unknown[]) => void) => {
    seen.push(host)
    resolving('127.0.0.1')(host, options, callback)
  }
  const [used] = await agent(t, await closedPort(), { lookup })
  t.equal((await send(`http://third.example:${far.port}/`, { agent: used! })).status, 200)
  t.strictSame(seen, ['third.example'])
})

t.test('endpoints of a resolver with allowLinkLocal may lead anywhere', async t => {
  const [used] = await agent(t, await closedPort(), { lookup: resolving('127.0.0.1') }, { allowLinkLocal: true })
  const error = await runInLane('gray', send, 'http://sc-b/', { agent: used! }).catch(error => error)
  t.match(error, { code: 'ECONNREFUSED' })
})
