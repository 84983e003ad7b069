import type { NacosFaults } from '@laneway/nacos-dev-server'
import type { Fleet, Instance } from './fleet.js'

/** Something that goes wrong. */
export interface Fault {
  readonly name: string
  /** From its begin to the last request that notices, p99; `undefined`: nothing is promised. */
  readonly boundMs: number | undefined
  /** Needs the switches of the in-memory server. */
  readonly registry?: true
  /** Begins it. @returns what ends it and puts things back */
  begin(): Promise<() => Promise<void>> | (() => Promise<void>)
}

/** Every kind of fault over a fleet of two instances of each service in base and in each lane. */
export function faultsOf(fleet: Fleet, prefix: string, registry: NacosFaults | undefined): readonly Fault[] {
  const again = (one: Instance) => async () => void (await fleet.start(one.service, one.tag))
  const told = (message: string) => () => {
    const one = fleet.any()
    one.child.send(message)
    return async () => void one.child.send('')
  }
  const services = ['a', 'b', 'c'].map(name => `${prefix}-${name}`)
  const stale = (hosts: readonly object[]) => () => {
    for (const service of services) registry?.pushStale(service, { hosts })
    return async () => {}
  }
  return [
    {
      name: 'kill -9',
      boundMs: 1000,
      begin() {
        const one = fleet.any()
        one.child.kill('SIGKILL')
        return again(one)
      },
    },
    {
      name: 'SIGTERM',
      boundMs: 0,
      begin() {
        const one = fleet.any()
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
      begin() {
        const one = fleet.any()
        one.child.kill('SIGSTOP')
        return async () => void one.child.kill('SIGCONT')
      },
    },
    { name: 'connections refused', boundMs: 1000, begin: told('refuse') },
    { name: 'reset mid-response', boundMs: undefined, begin: told('reset') },
    { name: 'slow to 5 s', boundMs: undefined, begin: told('slow') },
    {
      name: 'a lane rolled back and out',
      boundMs: 0,
      async begin() {
        const lane = Math.random() < 0.5 ? 'gray' : 'blue'
        const { service } = fleet.any(one => one.tag === lane)
        const gone = [...fleet.instances].filter(one => one.service === service && one.tag === lane)
        const ended = Promise.all(gone.map(one => fleet.end(one, 'SIGTERM')))
        return async () => {
          await ended
          for (const one of gone) await again(one)()
        }
      },
    },
    {
      name: 'registry restarts empty',
      boundMs: 0,
      registry: true,
      begin() {
        const back = registry?.restart({ downMs: 1500 })
        return async () => void (await back)
      },
    },
    {
      name: 'registry partitioned',
      boundMs: 0,
      registry: true,
      begin() {
        const undo = registry?.halfOpen()
        return async () => {
          undo?.()
          registry?.resetConnections()
        }
      },
    },
    {
      name: 'a stale list',
      boundMs: 0,
      registry: true,
      begin: stale([{ ip: '127.0.0.1', port: 9 }]),
    },
    { name: 'a stale empty list', boundMs: 0, registry: true, begin: stale([]) },
  ]
}
