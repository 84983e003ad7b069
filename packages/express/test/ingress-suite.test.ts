import { createServer } from 'node:http'
import { expressLane } from '@laneway/express'
import { type IngressAdapter, ingressSuite, listen, overSocket } from '@laneway/testkit'
import t from 'tap'
import { generations } from './generations.js'

for (const { name, express } of generations) {
  const app: IngressAdapter = {
    name: `${name}, an app`,
    async serve(t, options, handler) {
      const app = express()
      // No stack traces of the handlers that fail on purpose.
      app.set('env', 'test')
      app.use(expressLane(options))
      app.use(answer(handler))
      return overSocket(await listen(t, createServer({ insecureHTTPParser: true }, app)))
    },
  }
  const router: IngressAdapter = {
    name: `${name}, a router in a sub-app`,
    async serve(t, options, handler) {
      const router = express.Router()
      router.use(expressLane(options))
      router.use(answer(handler))
      const sub = express()
      sub.use(router)
      const app = express()
      app.set('env', 'test')
      app.use(sub)
      return overSocket(await listen(t, createServer({ insecureHTTPParser: true }, app)))
    },
  }
  t.test(app.name, t => ingressSuite(t, app))
  t.test(router.name, t => ingressSuite(t, router))
}

function answer(handler: Parameters<IngressAdapter['serve']>[2]) {
  return (request: any, response: any, next: (error: unknown) => void) => {
    const body = () =>
      new Promise<string>(resolve => {
        let text = ''
        request.on('data', (chunk: Buffer) => {
          text += chunk
        })
        request.on('end', () => resolve(text))
      })
    handler({ request, response, lane: request.lane, body }).then(value => response.json(value), next)
  }
}
