// Times what a request meets of the guards of @laneway/register: layers of Express, commands of a database driver, event
// emitters, a socket that is no HTTP. Knows nothing of Laneway; the preload decides what is measured. The work is done
// within a request that has arrived over a socket, and reported as nanoseconds of each part.
import { EventEmitter } from 'node:events'
import http from 'node:http'
import net, { type AddressInfo } from 'node:net'
import express, { type Request, type Response, type Router } from 'express'

const SAMPLES = 41

/** Shaped like the classes of mysql2: a queue of commands, each of which is an emitter with a callback. */
class Query extends EventEmitter {
  constructor(public onResult: (error: unknown) => void) {
    super()
  }
}
class Connection extends EventEmitter {
  readonly queue: Query[] = []
  addCommand(command: Query): Query {
    this.queue.push(command)
    return command
  }
  handlePacket(): void {
    this.queue.shift()?.onResult(null)
  }
  writePacket(): void {}
}

/** What a request makes: several classes, some derived twice. */
class Message extends EventEmitter {}
class Incoming extends Message {}
class Outgoing extends Message {}
class Operation extends EventEmitter {}

const quick = process.argv[2] === 'quick'
const connection = new Connection()
let answers = 0
const answered = () => {
  answers++
}

/** The shortest of the samples, in nanoseconds per run: others use the processor, too. */
function time(runs: number, run: () => void): number {
  const samples: number[] = []
  for (let sample = quick ? 1 : SAMPLES; sample > 0; sample--) {
    const start = process.hrtime.bigint()
    for (let i = runs; i > 0; i--) run()
    samples.push(Number(process.hrtime.bigint() - start) / runs)
  }
  return Math.min(...samples)
}

function measure(layers: Router, request: Request, response: Response) {
  const passed = () => {
    answers++
  }
  return {
    layers: time(2_000, () => layers(request, response, passed)),
    commands: time(2_000, () => {
      for (let i = 0; i < 2; i++) {
        connection.addCommand(new Query(answered))
        connection.handlePacket()
      }
    }),
    emitters: time(2_000, () => {
      for (let i = 0; i < 2; i++) {
        new Message()
        new Incoming()
        new Outgoing()
        new Operation()
        new EventEmitter()
      }
    }),
    socket: time(200, () => {
      // Never connects: the name is not answered.
      new net.Socket().connect({ host: 'nowhere', port: 1, lookup: () => {} }).destroy()
    }),
  }
}

const layers = express.Router()
for (let i = 0; i < 5; i++) layers.use((_request, _response, next) => next())
const app = express()
app.use(layers)
app.get('/warm', (_request, response) => void response.end('warm'))
app.get('/', (request, response) => void response.json(measure(layers, request, response)))

const server = http.createServer(app).listen(0, '127.0.0.1', async () => {
  const { port } = server.address() as AddressInfo
  const get = (path: string) => fetch(`http://127.0.0.1:${port}${path}`, { headers: { 'x-mse-tag': 'gray' } })
  await (await get('/warm')).text()
  const figures = await (await get('/')).json()
  process.send!({ figures, answers })
  process.disconnect()
  process.exit()
})
