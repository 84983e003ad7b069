import { createServer } from 'node:http'
import { createHapi } from '../../shapes/hapi.mjs'

export default {
  library: '@hapi/hapi',
  use: 'extensions, authentication, pre, handler',
  explicit: true,
  async service(kit) {
    const listener = createServer()
    const server = await createHapi(kit, { listener, autoListen: false })
    return { server: listener, close: () => server.stop({ timeout: 0 }) }
  },
}
