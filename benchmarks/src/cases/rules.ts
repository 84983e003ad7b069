import type { Lane } from '@laneway/core'
import { parseLane } from '@laneway/core'
import { compileRules, type RulesDocument } from '@laneway/rules'
import { expect, type Row, type Subject, type Table } from '../case.js'

const OPS = 512
const GRAY = parseLane('gray')

interface Arrived {
  readonly method: string
  readonly url: string
  readonly headers: Record<string, string>
}

/** Callers one after the other; every tenth is one that the last rules name. */
function requests(rules: number): Arrived[] {
  return Array.from({ length: OPS }, (_, i) => ({
    method: 'GET',
    url: `/orders/${i}?full=1`,
    headers: { host: 'shop', 'user-agent': 'bench', 'x-user-id': `u${i % 10 === 0 ? rules - 2 : rules + i}` },
  }))
}

/** One rule per user, as an allow list of testers grows, and one rule on a path that never holds. */
function documentOf(rules: number): RulesDocument {
  return {
    version: 1,
    rules: Array.from({ length: rules }, (_, i) => ({
      name: `rule-${i}`,
      when: i === rules - 1 ? { path: { prefix: '/beta' } } : { header: { name: 'x-user-id', exact: `u${i}` } },
      lane: 'gray',
    })),
  }
}

function row(name: string, rules: number, floor: boolean, make: () => (request: Arrived) => Lane | undefined): Row {
  return {
    name,
    ...(floor && { floor }),
    subject(): Subject {
      const list = requests(rules)
      const laneOf = make()
      return {
        ops: OPS,
        run() {
          let coloured = 0
          for (let i = 0; i < OPS; i++) if (laneOf(list[i]!) !== undefined) coloured++
          return coloured
        },
        check: result => expect(result === Math.ceil(OPS / 10), `${result} requests coloured`),
      }
    },
  }
}

function byHand(rules: number): (request: Arrived) => Lane | undefined {
  const users = Array.from({ length: rules - 1 }, (_, i) => `u${i}`)
  return request => {
    for (const user of users) if (request.headers['x-user-id'] === user) return GRAY
    return request.url.startsWith('/beta') ? GRAY : undefined
  }
}

export const rules: readonly Table[] = [
  {
    name: 'rules/match',
    about: 'One request in ten is named by the last rule but one, the others by none. The floor is a chain of ifs.',
    rows: [10, 1000].flatMap(count => {
      const size = count === 10 ? '10' : '1k'
      return [
        row(`${size}/ifs by hand`, count, true, () => byHand(count)),
        row(`${size}/rules`, count, false, () => compileRules(documentOf(count)).laneOf),
      ]
    }),
    targets: [{ row: '1k/rules', figure: 'ns', atMost: 1000 }],
  },
]
