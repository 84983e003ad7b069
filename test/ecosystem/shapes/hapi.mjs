import { createAsk } from './ask.mjs'

const POINTS = ['onRequest', 'onPreAuth', 'onPreHandler', 'onPreResponse']

/** Extensions, an authentication scheme, a pre method and the handler call. */
export async function createHapi(kit, options) {
  const Hapi = kit.require('@hapi/hapi')
  const ask = createAsk(kit)
  const server = Hapi.server(options)
  const extension = point => async (request, h) => {
    await ask(request.headers, point)
    return h.continue
  }
  for (const point of POINTS) server.ext(point, extension(point))
  server.auth.scheme('asks', () => ({
    async authenticate(request, h) {
      return h.authenticated({ credentials: { user: await ask(request.headers, 'authenticate') } })
    },
  }))
  server.auth.strategy('asks', 'asks')
  server.route({
    method: '*',
    path: '/{any*}',
    options: { auth: 'asks', pre: [{ method: request => ask(request.headers, 'pre'), assign: 'pre' }] },
    handler: async request => ({ pre: request.pre.pre, seen: await ask(request.headers, 'handler', true) }),
  })
  await server.initialize()
  return server
}
