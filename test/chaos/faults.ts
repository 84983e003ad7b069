import type { Fleet, Instance } from './fleet.js'
import type { Registry } from './registry.js'

/** Something that goes wrong. */
export interface Fault {
  readonly name: string
  /** Until requests no longer notice, p99 over all faults of the kind; 0: not one may fail; `undefined`: nothing is promised. */
  readonly boundMs: number | undefined
  /** How long it lasts, longer than its bound, and how long the chain then has for itself. */
  readonly lastsMs: number
  readonly calmMs: number
  /** How many at a time, each at another service. */
  readonly together: number
  /** Begins it. @returns what ends it and puts things back */
  begin(taken: Set<string>): Promise<() => Promise<void>> | (() => Promise<void>)
}

type Kind = Omit<Fault, 'lastsMs' | 'calmMs' | 'together'> & Partial<Fault>

/** Every kind of fault over a fleet of two instances of each service in base and in each lane. */
export function faultsOf(fleet: Fleet, prefix: string, registry: Registry): readonly Fault[] {
  const again = (one: Instance) => async () => void (await fleet.start(one.service, one.tag))
  const told = (message: string) => (taken: Set<string>) => {
    const one = fleet.victim(taken)
    one.child.send(message)
    return async () => void one.child.send('')
  }
  const services = ['a', 'b', 'c'].map(name => `${prefix}-${name}`)
  const kill = (taken: Set<string>) => {
    const one = fleet.victim(taken)
    one.child.kill('SIGKILL')
    return again(one)
  }
  const kinds: readonly Kind[] = [
    { name: 'kill -9', boundMs: 1000, together: 2, begin: kill },
    {
      name: 'SIGTERM',
      boundMs: 0,
      together: 2,
      begin(taken) {
        const one = fleet.victim(taken)
        const ended = fleet.end(one, 'SIGTERM')
        return async () => {
          await ended
          await again(one)()
        }
      },
    },
    {
      name: 'SIGSTOP',
      boundMs: 10_000,
      lastsMs: 12_000,
      begin(taken) {
        const one = fleet.victim(taken)
        one.child.kill('SIGSTOP')
        return async () => void one.child.kill('SIGCONT')
      },
    },
    { name: 'connections refused', boundMs: 1000, together: 2, begin: told('refuse') },
    { name: 'reset mid-response', boundMs: undefined, together: 2, begin: told('reset') },
    { name: 'slow to 5 s', boundMs: undefined, lastsMs: 4000, together: 2, begin: told('slow') },
    {
      name: 'a lane rolled back and out',
      boundMs: 0,
      async begin() {
        const lane = Math.random() < 0.5 ? 'gray' : 'blue'
        const { service } = fleet.victim(new Set(), lane)
        const gone = [...fleet.instances].filter(one => one.service === service && one.tag === lane)
        const ended = Promise.all(gone.map(one => fleet.end(one, 'SIGTERM')))
        return async () => {
          await ended
          await Promise.all(gone.map(one => again(one)()))
        }
      },
    },
    {
      name: 'registry restarts empty',
      boundMs: 0,
      begin() {
        const back = registry.restart(1500)
        return () => back
      },
    },
    {
      name: 'registry partitioned',
      boundMs: 0,
      begin() {
        const undo = registry.partition()
        return async () => undo()
      },
    },
    {
      name: 'a stale list',
      boundMs: 0,
      lastsMs: registry.stale === undefined ? 2000 : 1000,
      begin(taken) {
        if (registry.stale !== undefined) {
          registry.stale(services)
          return async () => {}
        }
        // Nobody hears that the instance is gone: the list that all have is stale.
        const undo = registry.partition()
        const back = kill(taken)
        return async () => {
          undo()
          await back()
        }
      },
    },
    {
      name: 'an empty list',
      boundMs: 0,
      lastsMs: 1000,
      async begin() {
        await registry.empty(services)
        return async () => {}
      },
    },
  ]
  return kinds.map(kind => ({ lastsMs: 2000, calmMs: 1000, together: 1, ...kind }))
}
