// The clients of the suite: a step of a plan becomes a call, as a program would make it.
import { get } from 'node:http'
import type { Readable } from 'node:stream'
import type { LaneResolver } from '@laneway/discovery'
import { laneChannel } from '@laneway/grpc'
import { LaneAgent } from '@laneway/http'
import { composeLane, createLaneFetch } from '@laneway/undici'
import axios from 'axios'
import got from 'got'
import { Agent, fetch, interceptors, request } from 'undici'
import { createGrpcClient, type GrpcClient, TWICE } from './grpc.js'
import type { Step } from './plan.js'
import { arrivalOf } from './seen.js'

/** Names that the suite gives to the loopback address, as the DNS of an internet would. */
const lookup = (_host: string, _options: object, done: (error: null, found: unknown) => void) =>
  done(null, [{ address: '127.0.0.1', family: 4 }])

/** One request, and the body of its answer. */
interface Call {
  readonly step: Step
  readonly url: string
  readonly headers: Record<string, string>
  readonly signal: AbortSignal
  /** Gives the answer up when the first part of its body has come. */
  readonly isCut: boolean
}

/** Makes one request. @returns the status */
type Client = (call: Call) => Promise<number>

export function createClients(resolver: LaneResolver) {
  const connect = { lookup: lookup as never }
  const options = { resolver, warn() {} }
  const dispatcher = composeLane(new Agent({ connections: 4, connect }), options)
  const retrying = composeLane(
    new Agent({ connections: 4, connect }),
    options,
    interceptors.retry({ maxRetries: 3, minTimeout: 1, timeoutFactor: 1 }),
  )
  const laneFetch = createLaneFetch(options)
  const agent = new LaneAgent(options, { keepAlive: true, maxSockets: 8, lookup } as object)
  const grpc: Record<string, GrpcClient> = {
    d: createGrpcClient('sc-d', laneChannel({ resolver })),
    f: createGrpcClient('sc-f', laneChannel({ resolver })),
    retrying: createGrpcClient('sc-d', { ...laneChannel({ resolver }), ...TWICE }),
  }

  const clients: Record<Exclude<Step['via'], 'grpc'>, Client> = {
    async undici({ step, url, headers, signal, isCut }) {
      const { statusCode, body } = await request(url, {
        headers,
        signal,
        dispatcher: step.kind === 'retry' ? retrying : dispatcher,
      })
      for await (const _ of body) if (isCut) break
      return statusCode
    },
    async fetch({ step, url, headers, signal, isCut }) {
      const isOwn = step.kind === 'outside' || step.plan.id.length % 2 === 0
      const answer = isOwn
        ? await fetch(url, { headers, signal, dispatcher })
        : await laneFetch(url, { headers, signal })
      const reader = answer.body?.getReader()
      while (!(await reader?.read())?.done) if (isCut) await reader!.cancel()
      return answer.status
    },
    http: ({ url, headers, signal, isCut }) =>
      new Promise((resolve, reject) => {
        get(url, { headers, agent, signal }, response => {
          readBody(response, isCut).then(() => resolve(response.statusCode!), reject)
        }).on('error', reject)
      }),
    async axios({ url, headers, signal, isCut }) {
      const shared = { headers, signal, httpAgent: agent, proxy: false, validateStatus: null } as const
      if (!isCut) return (await axios.get(url, shared)).status
      const { data, status } = await axios.get(url, { ...shared, responseType: 'stream' })
      await readBody(data, isCut)
      return status
    },
    async got({ step, url, headers, signal, isCut }) {
      const retry = {
        limit: step.kind === 'retry' ? 2 : 0,
        calculateDelay: ({ computedValue = 0 }) => computedValue && 1,
      }
      const shared = { headers, signal, agent: { http: agent }, retry, throwHttpErrors: step.kind === 'retry' }
      if (!isCut) return (await got(url, shared)).statusCode
      await readBody(got.stream(url, shared), isCut)
      return 200
    },
  }

  async function overGrpc({ kind, shape, to, plan }: Step, signal: AbortSignal): Promise<void> {
    const client = grpc[kind === 'retry' ? 'retrying' : to]!
    const once = () => client.call(shape, JSON.stringify({ plan, kind }), signal, kind === 'cut')
    await (kind === 'again' ? once().catch(once) : once())
  }

  async function overHttp(step: Step, outside: number, signal: AbortSignal): Promise<void> {
    const { kind, via, to, plan } = step
    if (via === 'grpc') return
    const url = kind === 'outside' ? `http://api.example.com:${outside}/` : `http://sc-${to}/`
    const headers = { 'x-plan': Buffer.from(JSON.stringify({ plan, kind })).toString('base64') }
    const call = (path: string) => clients[via]({ step, url: `${url}${path}`, headers, signal, isCut: kind === 'cut' })
    const status = await call('')
    // The program does what its client does not: it calls again, and follows a redirect.
    if (kind === 'again') await call('')
    else if (status === 302) await call('again')
  }

  return {
    /** @param outside - the port of the third party */
    async call(step: Step, outside: number): Promise<void> {
      const { kind, via, plan } = step
      const abort = new AbortController()
      if (kind === 'abort') arrivalOf(plan.id).then(() => abort.abort())
      try {
        await (via === 'grpc' ? overGrpc(step, abort.signal) : overHttp(step, outside, abort.signal))
      } catch (error) {
        if (kind !== 'abort' && kind !== 'cut') throw error
      }
    },
    async close() {
      await Promise.all([dispatcher.destroy(), retrying.destroy()])
      agent.destroy()
      for (const client of Object.values(grpc)) client.close()
    },
  }
}

function readBody(body: Readable, isCut: boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    body.on('end', resolve).on('error', reject).on('close', resolve)
    body.on('data', () => isCut && body.destroy())
  })
}
