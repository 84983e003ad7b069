import { channels, type SourceEvent } from '@laneway/core'
import type { EndpointInput } from '@laneway/discovery'
import { lastingEndpoint } from '@laneway/discovery/internal'
import { expect, type Row, type Table } from '../case.js'
import { seeded } from '../statistics.js'
import { endpoints, resolverOf, SIZES } from './services.js'

type Change = (list: { weight?: number }[], turn: number, random: () => number) => void

/** What differs from one push to the next. */
const CHANGES: Readonly<Record<string, Change>> = {
  'one changed': (list, turn, random) => {
    list[Math.floor(random() * list.length)]!.weight = 2 + (turn % 2)
  },
  'one left or joined': (list, turn) => {
    if (turn % 2 === 1) list.splice(list.length >> 1, 1)
  },
  'another order': (list, turn) => {
    if (turn % 2 === 1) list.reverse()
  },
}

/** A push as it comes from a registry: new objects every time. */
function pushes(count: number, change: Change): (turn: number) => EndpointInput[] {
  const random = seeded(7)
  return turn => {
    const list = JSON.parse(JSON.stringify(endpoints(count))) as { weight?: number }[]
    change(list, turn, random)
    return list as unknown as EndpointInput[]
  }
}

/** As from a source that keeps the objects of endpoints which stay as they are. */
function pushesOfKept(count: number): (turn: number) => EndpointInput[] {
  const lasting = (one: EndpointInput) => {
    Object.freeze(one.tags)
    Object.freeze(one.metadata)
    return lastingEndpoint(one)
  }
  const next = pushes(count, () => {})
  const list = next(0).map(lasting)
  const random = seeded(7)
  return turn => {
    const at = Math.floor(random() * count)
    list[at] = lasting({ ...list[at]!, weight: 2 + (turn % 2) })
    return [...list]
  }
}

function rowsOf(size: '1k' | '10k'): Row[] {
  const count = SIZES[size]
  return [
    {
      name: `${size}/an object per endpoint`,
      floor: true,
      subject() {
        const next = pushes(count, CHANGES['one changed']!)
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
    ...Object.entries({
      ...Object.fromEntries(Object.entries(CHANGES).map(([name, change]) => [name, () => pushes(count, change)])),
      'one changed, the others kept': () => pushesOfKept(count),
    }).map(
      ([name, start]): Row => ({
        name: `${size}/${name}`,
        async subject() {
          const next = start()
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
            check: result => expect(result === list.length, `${result} endpoints of ${list.length}`),
            close: () => resolver.close(),
          }
        },
      }),
    ),
  ]
}

export const rebuild: readonly Table[] = [
  {
    name: 'discovery/rebuild',
    about:
      'A push of a whole service, from new objects to the table in use: one endpoint has another weight; one in the middle left or joined; the list runs the other way; one has another weight, and the others are the same frozen objects.',
    rows: [...rowsOf('1k'), ...rowsOf('10k')],
    targets: [
      { row: '1k/one changed', figure: 'ns', per: '1k/an object per endpoint', atMost: 10 },
      { row: '10k/one changed', figure: 'ns', per: '10k/an object per endpoint', atMost: 10 },
      { row: '10k/one changed', figure: 'ns', atMost: 10_000_000 },
      { row: '10k/one left or joined', figure: 'ns', atMost: 10_000_000 },
      { row: '10k/another order', figure: 'ns', atMost: 10_000_000 },
    ],
  },
]
