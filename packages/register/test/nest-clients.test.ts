import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { ask, startApp } from './start-app.js'

const require = createRequire(import.meta.url)
const LANES = ['gray', undefined, 'blue', 'gray', undefined, 'blue']

/** The base class of NestJS's clients as far as it matters, where NestJS has it. */
const CLIENT_PROXY = `
class ClientProxy {
  send(pattern, data, observer) {
    return this.publish({ pattern, data }, this.createObserver(observer))
  }
  createObserver(observer) {
    return ({ response }) => observer.next(response)
  }
}
exports.ClientProxy = ClientProxy
`
const APP = `
const net = require('node:net')
const { createServer } = require('node:http')
const { currentLane } = require(${JSON.stringify(require.resolve('@laneway/core'))})
const { ClientProxy } = require('@nestjs/microservices/client/client-proxy.js')

const echo = net.createServer(socket => socket.pipe(socket)).listen(0, '127.0.0.1')
class ClientTCP extends ClientProxy {
  waiting = []
  publish(_packet, callback) {
    if (this.socket === undefined) {
      this.socket = net.connect(echo.address().port, '127.0.0.1')
      this.socket.on('data', bytes => bytes.forEach(() => this.waiting.shift()({ response: 1 })))
    }
    this.waiting.push(callback)
    this.socket.write('.')
  }
}
const client = new ClientTCP()
const server = createServer((_req, res) => {
  client.send('sum', 1, { next: () => res.end(currentLane()?.header ?? 'none') })
})
server.listen(0, '127.0.0.1', () => console.log('serving on ' + server.address().port))
`

async function start(t: Test, disabled = '') {
  const folder = mkdtempSync(join(tmpdir(), 'laneway-nest-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const client = join(folder, 'node_modules/@nestjs/microservices/client/client-proxy.js')
  mkdirSync(dirname(client), { recursive: true })
  writeFileSync(client, CLIENT_PROXY)
  writeFileSync(join(folder, 'app.cjs'), APP)
  const app = await startApp(t, join(folder, 'app.cjs'), {
    flags: ['--require', require.resolve('@laneway/register')],
    environment: { LANEWAY_DISABLE: disabled },
    folder,
  })
  await ask(app.url, 'gray')
  return Promise.all(LANES.map(tag => ask(app.url, tag)))
}

t.test("what follows a reply to NestJS's client runs in the lane of its subscriber", async t => {
  t.strictSame(
    await start(t),
    LANES.map(tag => tag ?? 'none'),
  )
})

t.test('LANEWAY_DISABLE=nest leaves it in no lane', async t => {
  t.strictSame(
    await start(t, 'nest'),
    LANES.map(() => 'none'),
  )
})
