// Not run: `tsc` holds the README's lines against the types of each undici.
import type { LaneResolver } from '@laneway/discovery'
import * as undici7 from 'undici'
import * as undici6 from 'undici6'
import * as undici8 from 'undici8'
import { composeLane, createLaneFetch } from '../src/index.js'

declare const resolver: LaneResolver

export async function compiles(): Promise<void> {
  const six = composeLane(new undici6.Agent(), { resolver }, undici6.interceptors.retry())
  const seven = composeLane(
    new undici7.Agent(),
    { resolver },
    undici7.interceptors.retry(),
    undici7.interceptors.cache(),
  )
  const eight = composeLane(
    new undici8.Agent(),
    { resolver },
    undici8.interceptors.retry(),
    undici8.interceptors.cache(),
  )
  await undici6.fetch('http://sc-b/b', { dispatcher: six })
  await undici7.fetch('http://sc-b/b', { dispatcher: seven })
  await undici8.fetch('http://sc-b/b', { dispatcher: eight })
  await undici6.request('http://sc-b/b', {
    dispatcher: six.compose(undici6.interceptors.redirect({ maxRedirections: 1 })),
  })
  await undici7.request('http://sc-b/b', { dispatcher: seven })
  await undici8.request('http://sc-b/b', { dispatcher: eight })
  undici6.setGlobalDispatcher(six)
  undici7.setGlobalDispatcher(composeLane(new undici7.ProxyAgent('http://proxy:3128'), { resolver }))
  undici8.setGlobalDispatcher(composeLane(new undici8.RetryAgent(new undici8.Agent()), { resolver }))

  const laneFetch = createLaneFetch({ resolver, propagateTo: ['*.example.com'], baggage: true })
  const response: Response = await laneFetch('http://sc-b/b', { method: 'POST', body: 'x' })
  await response.json()

  // @ts-expect-error an option that does not exist
  composeLane(new undici7.Agent(), { resolvers: [] })
  // @ts-expect-error no dispatcher
  composeLane({}, { resolver })
  // @ts-expect-error createLaneFetch has the dispatcher of Node, which routes by origin
  createLaneFetch({ routesByOrigin: true })
}
