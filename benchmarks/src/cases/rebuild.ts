import { channels, type SourceEvent } from '@laneway/core'
import type { EndpointInput } from '@laneway/discovery'
import { expect, type Row, type Table } from '../case.js'
import { seeded } from '../statistics.js'
import { endpoints, resolverOf, SIZES } from './services.js'

/** A push as it comes from a registry: new objects every time, one endpoint of another weight. */
function pushes(count: number): (turn: number) => EndpointInput[] {
  const random = seeded(7)
  return turn => {
    const list = JSON.parse(JSON.stringify(endpoints(count))) as { weight?: number }[]
    list[Math.floor(random() * count)]!.weight = 2 + (turn % 2)
    return list as unknown as EndpointInput[]
  }
}

function rowsOf(size: '1k' | '10k'): Row[] {
  const count = SIZES[size]
  return [
    {
      name: `${size}/an object per endpoint`,
      floor: true,
      subject() {
        const next = pushes(count)
        let turn = 0
        let list = next(turn)
        return {
          prepare() {
            list = next(++turn)
          },
          run: () =>
            list.map(({ host, port, weight, health, tags, metadata }) => ({
              address: `${host}:${port}`,
              host,
              port,
              weight,
              health,
              tags,
              metadata,
            })),
          check: result => expect((result as unknown[]).length === count, 'not all endpoints'),
        }
      },
    },
    {
      name: `${size}/one changed`,
      async subject() {
        const next = pushes(count)
        const [resolver, source] = await resolverOf(next(0), 'weighted-random')
        let inUse = (_: number | undefined) => {}
        channels.source.subscribe(event => {
          const { state, endpoints } = event as SourceEvent
          if (state === 'snapshot') inUse(endpoints)
        })
        let turn = 0
        let list = next(turn)
        return {
          asynchronous: true,
          prepare() {
            list = next(++turn)
          },
          // A large service is taken over in several turns of the event loop; the time ends with the last.
          run() {
            const done = new Promise(resolve => {
              inUse = resolve
            })
            source.listener!.snapshot(list)
            return done
          },
          check: result => expect(result === count, `${result} endpoints of ${count}`),
          close: () => resolver.close(),
        }
      },
    },
  ]
}

export const rebuild: readonly Table[] = [
  {
    name: 'discovery/rebuild',
    about: 'A push of a whole service in which one endpoint changed, from new objects to the table in use.',
    rows: [...rowsOf('1k'), ...rowsOf('10k')],
    targets: [
      { row: '1k/one changed', figure: 'ns', per: '1k/an object per endpoint', atMost: 10 },
      { row: '10k/one changed', figure: 'ns', per: '10k/an object per endpoint', atMost: 10 },
      { row: '10k/one changed', figure: 'ns', atMost: 10_000_000 },
    ],
  },
]
