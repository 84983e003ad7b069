import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { HasLane } from '@laneway/http'
import { laneHandler, laneServer } from '@laneway/http'
import { type IngressAdapter, ingressSuite, listen, overSocket, type SuiteHandler } from '@laneway/testkit'
import t from 'tap'

const wrapped: IngressAdapter = {
  name: 'laneHandler',
  async serve(t, options, handler) {
    return overSocket(
      await listen(t, createServer({ insecureHTTPParser: true }, laneHandler(answer(handler), options))),
    )
  },
}

const whole: IngressAdapter = {
  name: 'laneServer',
  async serve(t, options, handler) {
    const server = createServer({ insecureHTTPParser: true })
    laneServer(server, options)
    server.on('request', answer(handler) as (request: IncomingMessage, response: ServerResponse) => void)
    return overSocket(await listen(t, server))
  },
}

for (const adapter of [wrapped, whole]) t.test(adapter.name, t => ingressSuite(t, adapter))

function answer(handler: SuiteHandler) {
  return (request: IncomingMessage & HasLane, response: ServerResponse) => {
    const body = () =>
      new Promise<string>(resolve => {
        let text = ''
        request.on('data', (chunk: Buffer) => {
          text += chunk
        })
        request.on('end', () => resolve(text))
      })
    handler({ request, response, lane: request.lane, body }).then(
      value => response.end(JSON.stringify(value)),
      () => {
        response.statusCode = 500
        response.end()
      },
    )
  }
}
