import { Agent, get } from 'node:http'

/** A request and what came of it. */
export interface Sample {
  readonly sentAt: number
  readonly tookMs: number
  readonly failed: boolean
  /** An instance of another lane served a hop, or a hop saw another tag than was sent. */
  readonly wrong: boolean
  readonly why: string
}

const LANES = ['', 'gray', '', 'blue']
const MOST_IN_FLIGHT = 3000

/** Constant tagged and untagged requests, however slow the answers are. */
export class Load {
  readonly samples: Sample[] = []
  readonly #ports: readonly number[]
  readonly #tagOf: ReadonlyMap<number, string>
  readonly #agent = new Agent({ keepAlive: true })
  readonly #timer: NodeJS.Timeout
  #sent = 0
  #inFlight = 0

  /** @param ports - of the entries, asked in turn */
  constructor(ports: readonly number[], rate: number, tagOf: ReadonlyMap<number, string>) {
    this.#ports = ports
    this.#tagOf = tagOf
    const started = performance.now()
    this.#timer = setInterval(() => {
      const due = ((performance.now() - started) / 1000) * rate
      while (this.#inFlight < MOST_IN_FLIGHT && this.#sent < due) this.#send()
    }, 5)
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    while (this.#inFlight > 0) await new Promise(resolve => setTimeout(resolve, 50))
    this.#agent.destroy()
  }

  #send(): void {
    const id = this.#sent++
    const lane = LANES[id % LANES.length]!
    const port = this.#ports[id % this.#ports.length]!
    const sentAt = Date.now()
    this.#inFlight++
    const done = (failed: boolean, wrong: boolean, why: string) => {
      this.#inFlight--
      this.samples.push({ sentAt, tookMs: Date.now() - sentAt, failed, wrong, why })
    }
    const headers: Record<string, string> = lane === '' ? {} : { 'x-mse-tag': lane }
    let over = false
    const req = get({ host: '127.0.0.1', port, headers, agent: this.#agent, timeout: 40_000 }, res => {
      let text = ''
      res.on('data', chunk => {
        text += chunk
      })
      res.on('end', () => {
        over = true
        const hops = text.split(' ').map(hop => hop.split('|'))
        if (res.statusCode !== 200 || hops.length !== 4) return done(true, false, text.slice(0, 200))
        const wrong = hops.find(([, at, wire, context]) => {
          const tag = this.#tagOf.get(Number(at))
          return tag === undefined || (tag !== '' && tag !== lane) || wire !== lane || context !== lane
        })
        done(false, wrong !== undefined, wrong === undefined ? '' : `lane "${lane}" at ${wrong.join('|')}`)
      })
    })
    req.on('timeout', () => req.destroy(new Error('no answer in 40 s')))
    req.on('error', error => {
      if (!over) done(true, false, error.message)
      over = true
    })
  }
}
