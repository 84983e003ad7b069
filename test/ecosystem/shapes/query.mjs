// A service that asks a data store over connections that all requests share, and calls another service from inside the answer.
import { call } from './call.mjs'
import { sharedConnections } from './connections.mjs'

/**
 * Each form is `(connections, number, done) => void`, or async; the value is what the store says. Every request asks in each form
 * in turn, and calls from where the answer arrives: `/id-7/<form>`. The number of connections is less than that of the requests.
 *
 * @param {object} row
 * @param {'start' | 'request'} row.opened - opened at start, or by a request in lane gray
 * @param {(kit: object) => Promise<{ connections: object, close: () => Promise<void> }>} row.open - has used every connection once
 */
export function queryRow({ opened, open, forms, use, ...row }) {
  const kinds = Object.keys(forms).join(', ')
  return {
    explicit: true,
    ...row,
    use: `${use ?? 'queries'}: ${kinds}; connected ${opened === 'start' ? 'at start' : 'by a request'}`,
    async service(kit) {
      const agent = kit.agent()
      // The packages know no drivers: a callback is bound by hand.
      const bind = kit.laneway?.bindLane ?? (fn => fn)
      const closers = []
      const connectionsFor = await sharedConnections(opened, async () => {
        const { connections, close } = await open(kit)
        closers.push(close)
        return connections
      })
      async function handle(req, res) {
        const connections = await connectionsFor(req)
        const number = Number(req.headers['x-id'])
        const seen = []
        for (const [form, ask] of Object.entries(forms)) {
          const url = `${kit.targetOf(req)}/id-${number}/${form}`
          const value = await answered(ask, connections, number, bind, async value => [value, await call(url, agent)])
          seen.push(value)
        }
        res.setHeader('content-type', 'application/json')
        res.end(JSON.stringify(seen))
      }
      const server = (req, res) => {
        handle(req, res).catch(error => res.writeHead(500).end(String(error.stack)))
      }
      return { server, close: () => Promise.all(closers.map(close => close())) }
    },
  }
}

/** Runs `inside` exactly where the answer of the store arrives. */
async function answered(ask, connections, number, bind, inside) {
  if (ask.length < 3) return inside(await ask(connections, number))
  return new Promise((resolve, reject) => {
    const done = (error, value) => {
      if (error) reject(error)
      else inside(value).then(resolve, reject)
    }
    ask(connections, number, bind(done))
  })
}

/** The same row with connections opened at start and by a request. CI runs the second, which can be wrong as well as lost. */
export function bothWays(row) {
  return [
    { variant: 'at-start', ...queryRow({ ...row, opened: 'start' }), full: true },
    { variant: 'by-request', ...queryRow({ ...row, opened: 'request' }) },
  ]
}
