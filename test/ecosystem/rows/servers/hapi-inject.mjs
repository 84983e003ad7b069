import { createHapi } from '../../shapes/hapi.mjs'
import { flat, injectRow } from '../../shapes/inject.mjs'

export default injectRow({
  library: '@hapi/hapi',
  use: 'server.inject()',
  explicit: 'inject() does not pass through the listener',
  async build(kit) {
    const server = await createHapi(kit)
    return {
      async inject({ method, path, headers }) {
        const answer = await server.inject({ method, url: path, headers })
        return { status: answer.statusCode, headers: flat(answer.headers), body: answer.payload }
      },
      close: () => server.stop({ timeout: 0 }),
    }
  },
})
