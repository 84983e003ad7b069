// Services without any code of Laneway against a server that wants a login.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Case, type Context, unique, until } from './harness.mjs'

const file = (name: string): string => fileURLToPath(new URL(name, import.meta.url))
const root = file('../..')
/** Outlives three tokens, with the renewal of each before its end. */
const PAST_EXPIRIES_MS = 18_000

interface Service {
  readonly port: number
  readonly child: ChildProcess
  /** Standard error so far. */
  said(): string
  stop(): Promise<void>
}

type Login = Record<string, string>

interface ServiceOptions {
  readonly letter: string
  readonly tag?: string
  readonly suffix?: string
  readonly next?: string
}

/** A chain of services whose names no other run has used. */
class Chain {
  readonly #context: Context
  readonly #login: Login
  readonly #run = unique('zero')
  readonly services: Service[] = []

  constructor(context: Context, login: Login) {
    this.#context = context
    this.#login = login
  }

  name(letter: string): string {
    return `${this.#run}-${letter}`
  }

  async start({ letter, tag = '', suffix = '', next }: ServiceOptions): Promise<Service> {
    const { http } = this.#context.server
    const child = spawn(process.execPath, ['--import', '@laneway/register', file('../first-call/service.mjs')], {
      cwd: root,
      env: {
        PATH: process.env['PATH'],
        SELF: `${letter}:${tag === '' ? 'base' : tag}${suffix}`,
        HOST: '127.0.0.1',
        PORT: '0',
        CLIENT: letter === 'a' ? 'http' : 'fetch',
        LANEWAY_NACOS: http,
        LANEWAY_SERVICE: this.name(letter),
        LANEWAY_TAG: tag,
        ...(next !== undefined && { NEXT: `http://${this.name(next)}/` }),
        ...this.#login,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let errors = ''
    child.stderr.on('data', chunk => (errors += chunk))
    const stop = (): Promise<void> => ended(child)
    this.#context.end(stop)
    const port = await new Promise<number>((resolve, reject) => {
      child.stdout.once('data', line => resolve(Number(/serving on (\d+)/.exec(String(line))![1])))
      child.once('exit', code => reject(new Error(`${letter} ended with ${code}: ${errors}`)))
    })
    const service = { port, child, said: () => errors, stop }
    this.services.push(service)
    return service
  }

  /** A, B and C of base, B and C of gray. Resolves with A when the server lists them all. */
  async startAll(): Promise<Service> {
    const [entry] = await Promise.all([
      this.start({ letter: 'a', next: 'b' }),
      this.start({ letter: 'b', next: 'c' }),
      this.start({ letter: 'b', tag: 'gray', next: 'c' }),
      this.start({ letter: 'c' }),
      this.start({ letter: 'c', tag: 'gray' }),
    ])
    const client = this.#context.client()
    await until(
      'all instances are listed',
      async () => {
        const lists = await Promise.all(['a', 'b', 'c'].map(one => client.naming.query({ service: this.name(one) })))
        return lists.flatMap(({ instances }) => instances).length === 5
      },
      30_000,
    )
    return entry!
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise(resolve => child.once('exit', resolve))
  child.kill('SIGKILL')
  await gone
}

function call(port: number, lane: string | undefined): Promise<string> {
  return new Promise(resolve => {
    const headers = lane === undefined ? {} : { 'x-mse-tag': lane }
    get({ host: '127.0.0.1', port, headers }, async response => {
      resolve(`${response.statusCode} ${(await response.setEncoding('utf8').toArray()).join('')}`)
    }).on('error', error => resolve(String(error)))
  })
}

const LANES = ['gray', 'blue', undefined]

/** One request of each lane; every answer must be right. @returns what served gray last */
async function assertRight(entry: Service): Promise<string> {
  let gray = ''
  for (const lane of LANES) {
    const answer = await call(entry.port, lane)
    const tag = lane ?? '-'
    const at = lane === 'gray' ? 'gray' : 'base'
    assert.match(answer, new RegExp(`^200 a:base\\[${tag}\\] b:${at}\\[${tag}\\] c:${at}2?\\[${tag}\\]$`))
    if (lane === 'gray') gray = / (c:\S+)\[/.exec(answer)![1]!
  }
  return gray
}

function assertSilent({ services }: Chain): void {
  for (const service of services) assert.equal(service.said(), '')
}

function passwordFile(context: Context, password: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'laneway-login-'))
  context.end(() => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(join(folder, 'password'), `${password}\n`)
  return join(folder, 'password')
}

/** Against a server that wants tokens, which live 5 s. */
export const zeroCodeCases: Case[] = [
  {
    name: 'auth, zero-code: user and password from the environment',
    slow: true,
    run: async context => {
      const { username, password } = context.server
      const login = { LANEWAY_NACOS_USERNAME: username!, LANEWAY_NACOS_PASSWORD: password! }
      const chain = new Chain(context, login)
      const entry = await chain.startAll()
      for (let turn = 0; turn < 20; turn++) await assertRight(entry)
      assertSilent(chain)
    },
  },
  {
    name: 'auth, zero-code: password from a file; calls, subscriptions and registrations outlive tokens',
    slow: true,
    run: async context => {
      const { username, password } = context.server
      const chain = new Chain(context, {
        LANEWAY_NACOS_USERNAME: username!,
        LANEWAY_NACOS_PASSWORD_FILE: passwordFile(context, password!),
        LANEWAY_LEAVE_DELAY_MS: '2000',
      })
      const entry = await chain.startAll()
      let requests = 0
      const goOn = async (done: (gray: string) => boolean): Promise<void> => {
        for (;;) {
          const gray = await assertRight(entry)
          requests += LANES.length
          if (done(gray)) return
          await new Promise(resolve => setTimeout(resolve, 50))
        }
      }
      const begun = performance.now()
      await goOn(() => performance.now() - begun > PAST_EXPIRIES_MS)
      // Who comes now is registered, and is found through a subscription as old as the first token.
      const late = await chain.start({ letter: 'c', tag: 'gray', suffix: '2' })
      await goOn(gray => gray === 'c:gray2')
      // It leaves: nothing fails, and nobody calls it any more when it is gone.
      let gone = false
      late.child.once('exit', () => (gone = true))
      late.child.kill('SIGTERM')
      await goOn(() => gone)
      const client = context.client()
      const { instances } = await client.naming.query({ service: chain.name('c') })
      assert.equal(instances.length, 2, 'the two that were there at first are still registered')
      assertSilent(chain)
      context.figures[`zero-code requests past ${PAST_EXPIRIES_MS / 1000} s of tokens that live 5 s, all right`] =
        String(requests)
    },
  },
  {
    name: 'auth, zero-code: with a wrong password, and with none, the app serves, and is told what to do',
    slow: true,
    run: async context => {
      const { http, username } = context.server
      const fix =
        'username and password (LANEWAY_NACOS_USERNAME, LANEWAY_NACOS_PASSWORD or LANEWAY_NACOS_PASSWORD_FILE)'
      const wrong = { LANEWAY_NACOS_USERNAME: username!, LANEWAY_NACOS_PASSWORD: 'wr0ng-s3cret' }
      for (const [login, said] of [
        [wrong, `login of "${username}" failed: http://${http}/nacos/`],
        [{}, 'Nacos wants a login: '],
      ] as const) {
        const chain = new Chain(context, login)
        const entry = await chain.start({ letter: 'a', next: 'b' })
        await until('it says so', () => entry.said().includes('could not be registered, trying again: '), 30_000)
        const answer = await call(entry.port, 'gray')
        // As without Laneway: the name goes to DNS, which does not know it.
        assert.match(answer, /^502 .*ENOTFOUND/)
        const lines = entry.said().split('\n')
        const own = lines.filter(line => line.includes('could not be registered'))
        assert.equal(own.length, 1, entry.said())
        assert.ok(own[0]!.includes(`trying again: LANEWAY_AUTH: ${said}`), own[0])
        assert.ok(own[0]!.includes(fix), own[0])
        assert.doesNotMatch(entry.said(), /s3cret|timestamp/)
        assert.equal(new Set(lines).size, lines.length, 'nothing is said twice')
        assert.equal(entry.child.exitCode, null, 'it goes on')
      }
    },
  },
]
