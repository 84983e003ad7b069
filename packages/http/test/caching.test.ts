import http, { createServer, type IncomingMessage } from 'node:http'
import { runInLane } from '@laneway/core'
import { LaneAgent } from '@laneway/http'
import { listen } from '@laneway/testkit'
import { fakeResolver } from '@laneway/testkit/egress'
import got from 'got'
import t, { type Test } from 'tap'
import { farServer } from './far-server.js'

async function service(t: Test, headers: http.OutgoingHttpHeaders) {
  let asked = 0
  const far = await farServer(t, (seen, _request, response) => {
    response.writeHead(200, headers).end(`${seen.tags.join() || 'none'} ${++asked}`)
  })
  const agent = new LaneAgent({ resolver: fakeResolver({ 'sc-b': [{ port: far.port }] }), warn() {} })
  t.teardown(() => agent.destroy())
  return agent
}

t.test('an answer keeps the Vary of its server, also when a proxy passes it on', async t => {
  for (const vary of [undefined, 'Accept-Encoding', '*']) {
    const agent = await service(t, { 'cache-control': 'max-age=60', etag: '"1"', ...(vary !== undefined && { vary }) })
    const proxy = createServer((request, response) => {
      const tag = request.headers['x-mse-tag'] as string | undefined
      runInLane(tag, () =>
        http.get('http://sc-b/', { agent }, answer => {
          response.writeHead(200, answer.rawHeaders)
          answer.pipe(response)
        }),
      )
    })
    const port = await listen(t, proxy)
    for (const headers of [{}, { 'x-mse-tag': 'gray' }]) {
      const answer = await new Promise<IncomingMessage>(resolve => http.get({ port, headers, agent: false }, resolve))
      answer.resume()
      t.equal(answer.headers.vary, vary)
    }
  }
})

t.test("got's cache does not give the answer of one lane to another", async t => {
  const agent = await service(t, { 'cache-control': 'max-age=60', vary: 'Accept-Encoding' })
  const cached = got.extend({ cache: new Map(), agent: { http: agent } })
  const ask = (tag: string | undefined) => runInLane(tag, () => cached('http://sc-b/').text())
  t.strictSame([await ask(undefined), await ask('gray'), await ask(undefined)], ['none 1', 'gray 2', 'none 3'])
})

t.test('an answer that got streams into another one keeps the headers of its server', async t => {
  const agent = await service(t, { 'cache-control': 'max-age=60', etag: '"1"', vary: 'Accept-Encoding' })
  const cached = got.extend({ cache: new Map(), agent: { http: agent } })
  const proxy = createServer((request, response) => {
    runInLane(request.headers['x-mse-tag'] as string | undefined, () => cached.stream('http://sc-b/').pipe(response))
  })
  const port = await listen(t, proxy)
  const seen: unknown[] = []
  for (const headers of [{}, { 'x-mse-tag': 'gray' }, {}]) {
    const answer = await new Promise<IncomingMessage>(resolve => http.get({ port, headers, agent: false }, resolve))
    let body = ''
    for await (const chunk of answer) body += chunk
    seen.push([body, answer.headers.vary, answer.headers['cache-control']])
  }
  t.strictSame(
    seen,
    ['none 1', 'gray 2', 'none 3'].map(body => [body, 'Accept-Encoding', 'max-age=60']),
  )
})
