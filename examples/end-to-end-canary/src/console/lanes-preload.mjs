// With --console each pod says where its calls went, on a port of its own. It listens before the service is loaded.
import { createServer } from 'node:http'
import { lanesHandler } from '@laneway/console/lanes'

const server = createServer(lanesHandler({ service: process.env.LANES_NAME ?? 'unknown' }))
await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
server.unref()
console.log(`lanes on http://127.0.0.1:${server.address().port}/lanes;`)
