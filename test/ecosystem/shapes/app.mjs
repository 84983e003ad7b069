// An app whose middlewares or hooks ask a data store, over connections that all requests share, before the handler calls a service.
import { call } from './call.mjs'
import { sharedConnections } from './connections.mjs'

/**
 * `build(kit, ask)` returns `{ handler, close }`; `ask(req, form)` calls `/id-7/<form>` of what A wants.
 * The connections are opened with the app: at start, and in a second row by a request in lane gray.
 */
export function appRows({ build, use, ...row }) {
  const variant = (variant, opened) => ({
    variant,
    explicit: true,
    ...row,
    use: `${use}; connected ${opened === 'start' ? 'at start' : 'by a request'}`,
    async service(kit) {
      const agent = kit.agent()
      const ask = (req, form) => call(`${kit.targetOf(req)}/id-${req.headers['x-id']}/${form}`, agent)
      let close
      const appFor = await sharedConnections(opened, async () => {
        const built = await build(kit, ask)
        close = built.close
        return built.handler
      })
      const server = async (req, res) => {
        const handler = await appFor(req)
        handler(req, res)
      }
      return { server, close: () => close() }
    },
  })
  // CI runs the second, which can be wrong as well as lost.
  return [{ ...variant('at-start', 'start'), full: true }, variant('by-request', 'request')]
}
