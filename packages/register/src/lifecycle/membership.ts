import type { Server } from 'node:net'
import { backoffMs } from '@laneway/core/internal'
import type { Discovery, Registration } from '../discovery/discovery.js'

/** This instance in the registry. */
export interface RegistrationHealth {
  /**
   * - `none`: nothing is to be registered
   * - `not-listening`: no HTTP server listens yet, so there is no port to register
   * - `waiting`: the registry has not accepted it yet; one that cannot be reached is tried again
   * - `registered`
   * - `failed`: the registry refused it, see `error`; it is tried again, every 30 s at the longest
   * - `left`: it is being deregistered, or is deregistered
   */
  readonly state: 'none' | 'not-listening' | 'waiting' | 'registered' | 'failed' | 'left'
  readonly service: string | undefined
  /** `ip:port` under which others call it, once it is registered. */
  readonly address: string | undefined
  readonly error: string | undefined
}

/** Registers this instance, from its first port to the end of the process. */
export interface Membership {
  /** Service and port under which this instance is registered; `undefined` before that. */
  readonly registered: string | undefined
  /** The state for health and diagnosis. */
  readonly registration: RegistrationHealth
  /** Registers the port. Only the first server counts, with its address where it is bound to one. */
  register(server: Server, port: number): void
  /** Begins to deregister in this tick; resolves when callers have had time to learn of it. Idempotent, never rejects. */
  deregister(): Promise<void>
}

/** A registry that refuses now may know the user, or have its database back, a moment later. */
const FIRST_PAUSE_MS = 1000
const MAX_PAUSE_MS = 30_000

/** @param register - of `Discovery`; `undefined` where nothing is to be registered */
export function createMembership(
  service: string | undefined,
  register: Discovery['register'],
  warn: (message: string) => void,
): Membership {
  let registration: Promise<Registration | undefined> | undefined
  let current: Registration | undefined
  let registered: string | undefined
  let deregistering: Promise<void> | undefined
  let failure: string | undefined
  let wake = () => {}

  async function keepTrying(name: string, server: Server, port: number, how: NonNullable<typeof register>) {
    for (let turn = 0; deregistering === undefined; turn++) {
      try {
        current = await how(name, server, port)
        registered = `${name} on port ${port}`
        failure = undefined
        return current
      } catch (error) {
        const { code, message } = error as { code?: string; message: string }
        // Settings that are wrong stay wrong.
        const isRefusal = code === 'LANEWAY_AUTH' || code === 'LANEWAY_NACOS_REFUSED'
        if (failure !== message) warn(`${name} could not be registered${isRefusal ? ', trying again' : ''}: ${message}`)
        failure = message
        if (!isRefusal || deregistering !== undefined) return undefined
        await pause(backoffMs(turn, FIRST_PAUSE_MS, MAX_PAUSE_MS))
      }
    }
    return undefined
  }

  /** Ends early when this instance is to be deregistered. */
  function pause(ms: number): Promise<void> {
    return new Promise(resolve => {
      wake = resolve
      setTimeout(resolve, ms).unref()
    })
  }

  async function deregister(): Promise<void> {
    wake()
    try {
      // Without waiting where there is nothing to wait for: an app may end the process in this very tick.
      if (current !== undefined) await current.deregister()
      else await (await registration)?.deregister()
    } catch (error) {
      warn(`${service} could not be deregistered: ${(error as Error).message}`)
    }
    registered = undefined
  }

  function stateNow(): RegistrationHealth['state'] {
    if (service === undefined || register === undefined) return 'none'
    if (deregistering !== undefined) return 'left'
    if (registration === undefined) return 'not-listening'
    if (registered !== undefined) return 'registered'
    return failure === undefined ? 'waiting' : 'failed'
  }

  return {
    get registered() {
      return registered
    },
    get registration() {
      const { ip, port } = current ?? {}
      const address = registered === undefined || ip === undefined ? undefined : `${ip}:${port}`
      return { state: stateNow(), service, address, error: failure }
    },
    register(server, port) {
      if (deregistering !== undefined || service === undefined || register === undefined) return
      registration ??= keepTrying(service, server, port, register)
    },
    deregister() {
      deregistering ??= deregister()
      return deregistering
    },
  }
}
