import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

interface Tap {
  teardown(fn: () => unknown): void
}

const SERVICES = 'examples/end-to-end-canary/services'

/** The services of the walkthrough, running, measured, with a gray release of A and C. */
export class Shop {
  readonly #children: ChildProcess[] = []
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 8 })
  #entry = 0

  /** @param failPercent - of the requests to gray C */
  static async start(t: Tap, targets: string, failPercent = 0): Promise<Shop> {
    const shop = new Shop()
    const folder = mkdtempSync(join(tmpdir(), 'laneway-shop-'))
    const file = join(folder, 'endpoints.json')
    t.teardown(async () => {
      shop.#agent.destroy()
      await Promise.all(shop.#children.map(end))
      rmSync(folder, { recursive: true, force: true })
    })
    const services: Record<string, unknown[]> = { 'sc-A': [], 'sc-B': [], 'sc-C': [] }
    writeFileSync(file, JSON.stringify({ services }))
    const instances = [
      ['c', '', 0],
      ['c', 'gray', failPercent],
      ['b', '', 0],
      ['a', '', 0],
      ['a', 'gray', 0],
    ] as const
    for (const [name, tag, fails] of instances) {
      const port = await shop.#spawn(name, file, targets, { LANEWAY_TAG: tag, FAIL_PERCENT: String(fails) })
      services[`sc-${name.toUpperCase()}`]?.push({ host: '127.0.0.1', port, tags: tag === '' ? [] : [tag] })
    }
    writeFileSync(file, JSON.stringify({ services }))
    shop.#entry = await shop.#spawn('entry', file, mkdtempSync(join(folder, 'unmeasured-')), {})
    return shop
  }

  /** Requests of one user, of base and of the lane in turn, one after the other. Returns the answers by their lanes. */
  async visit(count: number): Promise<string[]> {
    const answers: string[] = []
    for (let i = 0; i < count; i++) answers.push(await this.get(i % 2 === 0 ? 'xiaoming' : 'others'))
    return answers
  }

  get(user: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const options = { port: this.#entry, path: '/a', agent: this.#agent, headers: { 'user-agent': user } }
      const sent = request(options, response => {
        let body = ''
        response.on('data', chunk => (body += chunk))
        response.on('end', () => resolve(`${response.statusCode} ${body}`))
        response.on('error', reject)
      })
      sent.on('error', reject)
      sent.end()
    })
  }

  #spawn(name: string, file: string, targets: string, env: Record<string, string>): Promise<number> {
    const preload = pathToFileURL('test/kubernetes/metrics-preload.mjs').href
    const child = spawn(
      process.execPath,
      ['--import', 'tsx', '--conditions=@laneway/source', '--import', preload, `${SERVICES}/${name}.js`],
      {
        env: { ...process.env, ENDPOINTS_FILE: file, METRICS_TARGETS: targets, PORT: '0', ...env, NODE_OPTIONS: '' },
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    )
    this.#children.push(child)
    return new Promise((resolve, reject) => {
      let output = ''
      child.stdout?.on('data', chunk => {
        output += chunk
        const port = /serving on (\d+)/.exec(output)?.[1]
        if (port !== undefined) resolve(Number(port))
      })
      child.once('exit', code => reject(new Error(`${name} ended with ${code}`)))
    })
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise(resolve => child.once('exit', resolve))
  child.kill('SIGKILL')
  await gone
}
