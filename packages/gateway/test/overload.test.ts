import type { RequestListener } from 'node:http'
import http2 from 'node:http2'
import t from 'tap'
import { send, start, startServices } from './world.js'

t.test(
  'when all endpoints of a lane are full, the client gets 503 and when to try again, and base gets nothing',
  async t => {
    const waiting: (() => void)[] = []
    let arrived = () => {}
    const slow: RequestListener = (_, response) => {
      waiting.push(() => response.end('done'))
      arrived()
    }
    let base = 0
    const services = await startServices(t, {
      b: [{ tag: 'gray', handler: slow }, { handler: (_, response) => response.end(String(++base)) }],
    })
    const options = {
      listeners: [{ host: '127.0.0.1' }, { host: '127.0.0.1', protocol: 'h2c' as const }],
      routes: [{ service: 'b' }],
      rules: { version: 1 as const, rules: [{ name: 'all', lane: 'gray' }] },
    }
    const { gateway, port, logged } = await start(t, services, options, { maxInFlight: 1, services: ['b'] })
    const first = () => {
      const seen = new Promise<void>(resolve => {
        arrived = resolve
      })
      return { seen, answer: send(port) }
    }
    const one = first()
    await one.seen
    const refused = await send(port)
    t.match(refused, {
      status: 503,
      headers: { 'retry-after': '1', 'content-type': 'application/problem+json' },
      json: { code: 'busy' },
    })
    t.match(await logged(), { status: 503 })
    const session = http2.connect(`http://127.0.0.1:${gateway.address(1).port}`)
    t.teardown(() => session.destroy())
    const head = await new Promise<http2.IncomingHttpHeaders>((resolve, reject) => {
      session.request({ ':path': '/' }).on('response', resolve).on('error', reject).end()
    })
    t.match(head, { ':status': 503, 'retry-after': '1' })
    t.equal(base, 0)
    waiting.shift()!()
    t.match(await one.answer, { status: 200, text: 'done' })
    const next = first()
    await next.seen
    waiting.shift()!()
    t.equal((await next.answer).status, 200)
  },
)
