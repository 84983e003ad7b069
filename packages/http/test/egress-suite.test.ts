import http from 'node:http'
import { LaneAgent } from '@laneway/http'
import {
  type EgressAdapter,
  type EgressAnswer,
  type EgressRequest,
  egressSuite,
  loopback,
  type SuiteEgressOptions,
} from '@laneway/testkit/egress'
import axios from 'axios'
import got from 'got'
import t, { type Test } from 'tap'

function agentFor(t: Test, options: SuiteEgressOptions): LaneAgent {
  const agent = new LaneAgent(options as never, { lookup: loopback } as never)
  t.teardown(() => agent.destroy())
  return agent
}

const node: EgressAdapter = {
  name: 'LaneAgent, http.request',
  client(t, options) {
    const agent = agentFor(t, options)
    return (url, { body, ...request } = {}) =>
      new Promise((resolve, reject) => {
        const made = http.request(url, { agent, ...(request as object) }, response => {
          let text = ''
          response.on('data', chunk => {
            text += chunk
          })
          response.on('error', reject).on('end', () => resolve({ status: response.statusCode ?? 0, body: text }))
        })
        made.on('error', reject).end(body)
      })
  },
  // Node frames no body of a DELETE by itself.
  cannotSend: ['a body with DELETE'],
}

const byAxios =
  (agent: LaneAgent, maxRedirects: number) =>
  async (url: string, { body, ...request }: EgressRequest = {}): Promise<EgressAnswer> => {
    const { status, data } = await axios.request({
      ...(request as object),
      url,
      ...(body !== undefined && { data: body }),
      httpAgent: agent,
      maxRedirects,
      proxy: false,
      responseType: 'text',
      transformResponse: text => text,
      validateStatus: null,
    })
    return { status, body: data }
  }

const byGot =
  (agent: LaneAgent, followRedirect: boolean) =>
  async (url: string, { body, ...request }: EgressRequest = {}): Promise<EgressAnswer> => {
    const answer = await got(url, {
      ...(request as object),
      ...(body !== undefined && { body }),
      agent: { http: agent },
      followRedirect,
      retry: { limit: 0 },
      throwHttpErrors: false,
    })
    return { status: answer.statusCode, body: answer.body }
  }

/** axios and got wrap errors. */
const reason = (error: unknown) => (error as { cause?: unknown }).cause

const adapters: readonly EgressAdapter[] = [
  node,
  {
    name: 'LaneAgent, axios',
    client: (t, options) => byAxios(agentFor(t, options), 0),
    following: (t, options) => byAxios(agentFor(t, options), 3),
    reason,
  },
  {
    name: 'LaneAgent, got',
    client: (t, options) => byGot(agentFor(t, options), false),
    following: (t, options) => byGot(agentFor(t, options), true),
    reason,
  },
]

for (const adapter of adapters) t.test(adapter.name, t => egressSuite(t, adapter))
