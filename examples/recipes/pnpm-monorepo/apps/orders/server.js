import { createServer } from 'node:http'
import { nameOf } from '@shop/greeting'

const server = createServer((_req, res) => res.end(nameOf('orders')))
server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => console.log(`listening on ${server.address().port}`))
