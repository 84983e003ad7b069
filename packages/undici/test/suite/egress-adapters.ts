import type { EgressAdapter, EgressAnswer, EgressRequest, SuiteEgressOptions } from '@laneway/testkit/egress'
import { loopback } from '@laneway/testkit/egress'
import type { Test } from 'tap'
import { composeLane, createLaneFetch } from '../../src/index.js'
import { builtInDispatcher } from '../../src/lane-fetch.js'
import type { Copy } from './undici-copy.js'

type FetchLike = (url: string, init: object) => Promise<{ status: number; text(): Promise<string> }>

const reason = (error: unknown) => (error as { cause?: unknown }).cause

/** `composeLane` with `request` and `fetch` of a copy of undici. */
export function composedAdapters({ undici }: Copy): EgressAdapter[] {
  const compose = (t: Test, options: SuiteEgressOptions, ...interceptors: any[]) => {
    const agent = new undici.Agent({ connect: { lookup: loopback as never } })
    const dispatcher = composeLane(agent, options, ...interceptors)
    t.teardown(() => dispatcher.destroy())
    return dispatcher
  }
  const requestBy =
    (dispatcher: any) =>
    async (url: string, request: EgressRequest = {}): Promise<EgressAnswer> => {
      const { statusCode, body } = await undici.request(url, { dispatcher, ...(request as object) })
      return { status: statusCode, body: await body.text() }
    }
  const fetch: FetchLike = (url, init) => undici.fetch(url, init)
  return [
    {
      name: 'composeLane, request',
      client: (t, options) => requestBy(compose(t, options)),
      following: (t, options) => requestBy(compose(t, options, undici.interceptors.redirect({ maxRedirections: 3 }))),
    },
    {
      name: 'composeLane, fetch',
      client: (t, options) => fetchBy(fetch, { dispatcher: compose(t, options), redirect: 'manual' }),
      following: (t, options) => fetchBy(fetch, { dispatcher: compose(t, options) }),
      reason,
      cannotSend: ['two lines', 'Host'],
    },
  ]
}

/** `createLaneFetch` on the fetch of the Node that runs this. */
export const laneFetchAdapter: EgressAdapter = {
  name: 'createLaneFetch',
  client: (t, options) => fetchBy(createLaneFetch(options), { dispatcher: builtInAgent(t), redirect: 'manual' }),
  following: (t, options) => fetchBy(createLaneFetch(options), { dispatcher: builtInAgent(t) }),
  reason,
  cannotSend: ['two lines', 'Host'],
}

/** An Agent of the copy inside Node, whose look-ups end at loopback. */
function builtInAgent(t: Test): object {
  const { constructor: Agent } = builtInDispatcher('test') as unknown as { constructor: new (options: object) => any }
  const agent = new Agent({ connect: { lookup: loopback } })
  t.teardown(() => agent.destroy())
  return agent
}

function fetchBy(fetch: FetchLike, init: object) {
  return async (url: string, request: EgressRequest = {}): Promise<EgressAnswer> => {
    const answer = await fetch(url, { ...init, ...request })
    return { status: answer.status, body: await answer.text() }
  }
}
