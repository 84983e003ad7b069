import type { Lane } from '@laneway/core'
import { type ExpressLaneOptions, expressLane } from '@laneway/express'
import express, { type Request, type RequestHandler } from 'express'
import t from 'tap'

// Checked by the compiler; the running test only proves that the lines are code.
t.test('the types say what the middleware does', async t => {
  const app = express()
  app.use(expressLane())
  app.use('/path', expressLane({ trust: 'edge', tag: 'gray', ownLane: 'colour', header: 'x-lane' }))
  app.get('/', expressLane({ trust: ({ socket }) => socket.remoteAddress === '10.0.0.1' }), (_req, res) => res.end())
  // @ts-expect-error: a predicate sees the same view of a request in every framework
  app.use(expressLane({ trust: (request: Request) => request.ip === '10.0.0.1' }))
  const router = express.Router()
  router.use(expressLane({ formats: ['header', 'baggage', 'mse-baggage'] }))
  const handler: RequestHandler = expressLane()
  const options: ExpressLaneOptions = { rules: () => undefined }
  t.type(expressLane(options), 'function')
  t.equal(handler.length, 3)

  const read = (req: Request): string | undefined => {
    const lane: Lane | undefined = req.lane
    // @ts-expect-error: a request may have no lane
    req.lane.header
    // @ts-expect-error: a lane is frozen
    if (lane !== undefined) lane.header = 'blue'
    return req.lane?.header
  }
  t.throws(() => read({} as Request), TypeError)

  const refused = [
    // @ts-expect-error: not one of the values of trust
    () => expressLane({ trust: 'public' }),
    // @ts-expect-error: not an option
    () => expressLane({ thrust: 'edge' }),
    // @ts-expect-error: not a format
    () => expressLane({ formats: ['headers'] }),
    // @ts-expect-error: not a mode
    () => expressLane({ ownLane: 'color' }),
  ]
  for (const call of refused) t.throws(call, { code: 'LANEWAY_INVALID_OPTION' })
})
