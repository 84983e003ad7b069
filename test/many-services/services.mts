/** Endpoints by service, as a services file has them. */
export type Services = Record<string, { host: string; port: number; tags: string[] }[]>

/** What the process under measure reports. */
export interface Measured {
  readonly startMs: number
  readonly heapMiB: number
  /** Shares of one processor. */
  readonly idle: number
  readonly changing: number
  /** Longest turn in milliseconds of processor time: at the start, at idle, under changes. */
  readonly turns: readonly [number, number, number]
  /** Tables that were replaced by ten changes of one service each. */
  readonly rebuilt: number
}

export const SERVICES = 500
const ENDPOINTS = 40

const fixed: Services = {}
for (let service = 0; service < SERVICES; service++) fixed[nameOf(service)] = endpointsOf(service)

function nameOf(service: number): string {
  return `service-${service}`
}

/** One in ten is of lane gray. */
function endpointsOf(service: number, moved = 0): Services[string] {
  return Array.from({ length: ENDPOINTS }, (_, index) => {
    const id = service * ENDPOINTS + index
    const host = `10.${moved > 0 && index === 0 ? 100 + ((moved + service) % 150) : 20 + (id >> 16)}.${(id >> 8) & 255}.${id & 255}`
    return { host, port: 80, tags: index % 10 === 9 ? ['gray'] : [] }
  })
}

/** All services after so many changes: each change replaces one endpoint of one service. */
export function servicesOf(changes: number): Services {
  if (changes > 0) {
    const service = (changes * 7) % SERVICES
    fixed[nameOf(service)] = endpointsOf(service, changes)
  }
  return fixed
}
