import { createServer } from 'node:http'
import { greetingOf, nameOf } from '@shop/greeting'

const server = createServer(async (_req, res) => res.end(`${nameOf('web')} -> ${await greetingOf('orders')}`))
server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => console.log(`listening on ${server.address().port}`))
