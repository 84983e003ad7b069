import type { Choice, EndpointInput } from '@laneway/discovery'
import { expect, type Row, type Table } from '../case.js'
import { seeded } from '../statistics.js'
import { endpoints, resolverOf, SERVICE, SIZES } from './services.js'

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
        let turn = 0
        let list = next(turn)
        return {
          prepare() {
            list = next(++turn)
          },
          run() {
            source.listener!.snapshot(list)
            return resolver.pick(SERVICE, undefined)
          },
          check(result) {
            expect((result as Choice).outcome === 'base', 'no base endpoint')
            const { base, lanes } = resolver.state(SERVICE)!
            const all = base.endpoints + [...lanes.values()].reduce((sum, one) => sum + one.endpoints, 0)
            expect(all === count, `${all} endpoints of ${count}`)
          },
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
