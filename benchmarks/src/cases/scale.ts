import { expect, type Row, type Table } from '../case.js'
import { simulateStorm } from '../simulation/registry-storm.js'
import { seeded } from '../statistics.js'

const CLIENTS = 1000
const SERVICES = 10_000
const EACH = 100

function storm(name: string, downMs: number, jitter = true): Row {
  return {
    name,
    rounds: 1,
    seconds: 0.3,
    ...(!jitter && { peer: true }),
    async measure() {
      const figures = simulateStorm({ clients: CLIENTS, services: SERVICES, each: EACH, downMs, jitter }, seeded(11))
      expect(figures.calls === CLIENTS * (EACH + 2), `${figures.calls} calls`)
      expect(figures.services > SERVICES * 0.99, `${figures.services} services`)
      const { calls, windowMs, peakPerSecond, meanPerSecond } = figures
      return {
        calls,
        'window ms': windowMs,
        'peak calls/s': peakPerSecond,
        'mean calls/s': meanPerSecond,
        'peak / mean': peakPerSecond / meanPerSecond,
      }
    },
  }
}

const DOWN = { '5 s away': 5000, '30 s away': 30_000, '5 min away': 300_000 } as const

export const scale: readonly Table[] = [
  {
    name: 'scale/registry restart',
    about:
      '1000 clients with 100 subscriptions each, of 10,000 services, lose one registry and come back to it: simulated time, the pauses of `@laneway/nacos`. The peak is the worst second.',
    rows: [
      ...Object.entries(DOWN).map(([name, downMs]) => storm(name, downMs)),
      storm('30 s away, without jitter', 30_000, false),
    ],
    targets: Object.keys(DOWN).map(row => ({ row, figure: 'peak / mean', atMost: 2 })),
  },
]
