// A service that sends a message for each request and answers when its own consumer has called another service.
import { call } from './call.mjs'
import { sharedConnections } from './connections.mjs'

let count = 0

/**
 * `open(kit, consume, name)` starts the consumer and returns `{ send, close }`; `send(message)` takes a text, and the consumer
 * gives that text to `consume(message, form)`, in its own context. Messages carry no lane here, so the calls have none, whoever
 * has opened the consumer. `name` is one for each row of a process: a broker may still be deleting the queue of the row before.
 */
export function consumerRows({ open, use, forms = ['message'], ...row }) {
  const variant = (variant, opened) => ({
    variant,
    explicit: true,
    laneless: true,
    concurrent: forms.length > 1,
    ...row,
    use: `${use}; opened ${opened === 'start' ? 'at start' : 'by a request'}`,
    async service(kit) {
      const agent = kit.agent()
      const waiting = new Map()
      // The packages know no brokers: a handler is detached by hand.
      const detach = kit.laneway?.detachLane ?? (fn => fn)
      const consume = detach(async (message, form = 'message') => {
        const [, id, to] = /(\d+) (\w+)/.exec(message)
        const done = waiting.get(`${id} ${form}`)
        const body = await call(`${kit.urls[to]}/id-${id}/${form}`, agent)
        done(body)
        return body
      })
      let close
      const senderFor = await sharedConnections(opened, async () => {
        const opened = await open(kit, consume, `ecosystem-${process.pid}-${count++}`)
        close = opened.close
        return opened.send
      })
      const server = async (req, res) => {
        const send = await senderFor(req)
        const { 'x-id': id, 'x-to': to } = req.headers
        const answers = forms.map(form => new Promise(resolve => waiting.set(`${id} ${form}`, resolve)))
        await send(`${id} ${to}`)
        res.end(JSON.stringify(await Promise.all(answers)))
      }
      return { server, close: () => close() }
    },
  })
  // CI runs the second, which can be wrong as well as lost.
  return [{ ...variant('at-start', 'start'), full: true }, variant('by-request', 'request')]
}
