import net from 'node:net'
import { nestClientRows } from '../../shapes/nest-client.mjs'

export default nestClientRows({
  use: 'client.send().pipe(switchMap(...)) by TCP',
  async transport({ require }) {
    const { Transport } = require('@nestjs/microservices')
    const server = net.createServer()
    await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address()
    await new Promise(resolve => server.close(resolve))
    return { transport: Transport.TCP, options: { host: '127.0.0.1', port } }
  },
})
