import http, { type IncomingMessage } from 'node:http'
import { runInLane } from '@laneway/core'
import { LaneAgent } from '@laneway/http'
import axios from 'axios'
import got from 'got'
import t, { type Test } from 'tap'
import { farServer, lookup, send } from './far-server.js'

function agentFor(t: Test, options: object = {}): LaneAgent {
  const agent = new LaneAgent({ warn() {}, ...options }, { lookup } as never)
  t.teardown(() => agent.destroy())
  return agent
}

/** A third party whose answer to `/go` names two places, or none. */
async function third(t: Test, status: number, locations: readonly string[]) {
  return farServer(t, (seen, _request, response) => {
    if (seen.url === '/go')
      response.writeHead(
        status,
        locations.flatMap(one => ['Location', one]),
      )
    response.end()
  })
}

const headers = { 'x-mse-tag': 'gray' }

type Follow = (agent: LaneAgent, from: string, to: (location: string[]) => string) => Promise<unknown>

const lines = (answer: IncomingMessage) => answer.headersDistinct['location'] ?? []

const followers: Record<string, Follow> = {
  'in the callback': (agent, from, to) =>
    new Promise((resolve, reject) => {
      http
        .get(from, { agent, headers }, answer => {
          answer.resume()
          send(to(lines(answer)), { agent, headers }).then(resolve, reject)
        })
        .on('error', reject)
    }),
  'when the answer has ended': (agent, from, to) =>
    new Promise((resolve, reject) => {
      http
        .get(from, { agent, headers }, answer => {
          answer
            .resume()
            .on('end', () => setTimeout(() => send(to(lines(answer)), { agent, headers }).then(resolve, reject), 5))
        })
        .on('error', reject)
    }),
  'with a tag that is set after the request was made': (agent, from, to) =>
    new Promise((resolve, reject) => {
      const first = http.request(from, { agent }, answer => {
        answer.resume()
        const next = http.request(to(lines(answer)), { agent }, last => last.resume().on('end', resolve))
        next.setHeader('x-mse-tag', 'gray')
        next.end()
      })
      first.setHeader('x-mse-tag', 'gray')
      first.on('error', reject)
      first.end()
    }),
}

for (const [name, follow] of Object.entries(followers)) {
  t.test(`after a redirect a hand-set tag stays behind, whatever URL is followed: ${name}`, async t => {
    for (const status of [301, 302, 303, 307, 308, 300, 304]) {
      const far = await third(t, status, ['http://other.example/', '/second'])
      const agent = agentFor(t, { keepHandSet: true })
      const at = `http://third.example:${far.port}`
      await follow(agent, `${at}/go`, () => `http://other.example:${far.port}/unannounced`)
      await follow(agent, `${at}/go`, ([, second]) => at + second!)
      await send(`${at}/call`, { agent, headers })
      t.strictSame(
        far.seen.map(({ url, tags }) => [url, tags]),
        [
          ['/go', ['gray']],
          ['/unannounced', []],
          ['/go', ['gray']],
          ['/second', []],
          ['/call', ['gray']],
        ],
        `${status}`,
      )
    }
  })
}

t.test('code that awaits a redirect and follows one of its Location lines drops the hand-set tag', async t => {
  const far = await third(t, 302, ['/first', '/second'])
  const agent = agentFor(t, { keepHandSet: true })
  const at = `http://third.example:${far.port}`
  for (const path of ['/second', '/first']) {
    await send(`${at}/go`, { agent, headers })
    await send(at + path, { agent, headers })
  }
  await send(`${at}/call`, { agent, headers })
  t.strictSame(
    far.seen.filter(({ url }) => url !== '/go').map(({ url, tags }) => [url, tags]),
    [
      ['/second', []],
      ['/first', []],
      ['/call', ['gray']],
    ],
  )
})

t.test('axios and got leave a hand-set tag behind, whichever line they follow', async t => {
  for (const locations of [['/first', '/second'], ['http://other.example:PORT/x', '/second'], ['/first']]) {
    const far = await farServer(t, (seen, _request, response) => {
      const list = locations.map(one => one.replace('PORT', String(far.port)))
      if (seen.url === '/go')
        response.writeHead(
          302,
          list.flatMap(one => ['Location', one]),
        )
      response.end()
    })
    const agent = agentFor(t, { keepHandSet: true })
    const url = `http://third.example:${far.port}/go`
    await axios.get(url, { httpAgent: agent, proxy: false, headers })
    await got(url, { agent: { http: agent }, retry: { limit: 0 }, headers })
    t.strictSame(
      far.seen.map(({ tags }) => tags),
      [['gray'], [], ['gray'], []],
    )
  }
})

const AUTHORITIES: readonly (readonly [host: string, sent: boolean])[] = [
  ['127.0.0.1', true],
  ['127.0.0.1:PORT', true],
  ['127.0.0.1:', true],
  ['sc-b', true],
  ['SC-B.prod.svc:8080', true],
  ['localhost', true],
  ['[::1]:80', true],
  ['127.0.0.1.evil.example', false],
  ['127.0.0.1.evil.example:80', false],
  ['127.0.0.11.evil.example', false],
  ['127.0.0.1:80.evil.example', false],
  ['127.0.0.1:80@evil.example', false],
  ['127.0.0.1@evil.example', false],
  ['evil.example@127.0.0.1', false],
  ['127.0.0.1/evil.example', false],
  ['127.0.0.1?evil.example', false],
  ['127.0.0.1#evil.example', false],
  ['127.0.0.1\\evil.example', false],
  ['127.0.0.1,evil.example', false],
  ['127.0.0.1 evil.example', false],
  ['127.0.0.%31', false],
  ['127.0.0.1:99999', false],
  ['127.0.0.1:80:80', false],
  ['[::1', false],
  ['::1', false],
  ['third.example', false],
  ['169.254.169.254', false],
]

t.test(
  'where the URL names an address, the parsed Host decides, and one that cannot be read is out of scope',
  async t => {
    const far = await farServer(t)
    for (const name of ['127.0.0.1', 'localhost']) {
      for (const [authority, sent] of AUTHORITIES) {
        const agent = agentFor(t)
        const host = authority.replace('PORT', String(far.port))
        await runInLane('gray', send, `http://${name}:${far.port}/`, { agent, headers: { Host: host } })
        const seen = far.seen.pop()
        t.strictSame(seen?.tags, sent ? ['gray'] : [], `${name} with Host ${JSON.stringify(host)}`)
        t.equal(seen?.host, host.trim(), 'Host itself stays')
      }
    }
  },
)

t.test('an address in an odd form is an address: a Host that names another target decides', async t => {
  const far = await farServer(t)
  const agent = agentFor(t)
  const odd = ['127.1', '0x7f.0.0.1', '2130706433', '017700000001', '127.0.0.1.', 'localhost.', 'LocalHost']
  for (const host of odd) {
    for (const [named, sent] of [
      ['evil.example', false],
      ['evil.example@127.0.0.1', false],
      ['127.0.0.1:80.evil.example', false],
      ['sc-b', true],
    ] as const) {
      // `hostname` stays as it is written here, where a URL would make it canonical; the look-up leads all to the server.
      const options = { hostname: host, port: far.port, agent, headers: { Host: named }, lookup } as never
      await runInLane('gray', send, 'http://unused.example/', options)
      t.strictSame(far.seen.pop()?.tags, sent ? ['gray'] : [], `${host} with Host ${named}`)
    }
  }
})

t.test('an address out of scope does not get the tag by a Host that is in scope', async t => {
  for (const address of ['203.0.113.9', '169.254.169.254', '[2001:db8::1]']) {
    const agent = agentFor(t)
    // Nothing is connected to: the agent decides before there is a socket.
    Object.assign(agent, { createSocket() {} })
    const judged = http.request(`http://${address}/`, { agent, headers: { Host: 'sc-b', 'x-mse-tag': 'gray' } })
    judged.on('error', () => {})
    t.equal(judged.getHeader('x-mse-tag'), undefined, address)
    judged.destroy()
  }
})
