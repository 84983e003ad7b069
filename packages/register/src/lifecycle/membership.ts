import type { Server } from 'node:net'
import type { Discovery, Registration } from '../discovery/discovery.js'

/** This instance in the registry. */
export interface RegistrationHealth {
  /**
   * - `none`: nothing is to be registered
   * - `not-listening`: no HTTP server listens yet, so there is no port to register
   * - `waiting`: the registry has not taken it yet; an unreachable one is tried again
   * - `registered`
   * - `failed`: the registry refused it, see `error`; it is tried again, every 30 s at the longest
   * - `left`: it is being deregistered, or was
   */
  readonly state: 'none' | 'not-listening' | 'waiting' | 'registered' | 'failed' | 'left'
  readonly service: string | undefined
  /** As others call it, once it is registered. */
  readonly address: string | undefined
  readonly error: string | undefined
}

/** This instance's place in the registry, from its first port to its end. */
export interface Membership {
  /** What the registry knows this instance as; `undefined` before it is registered. */
  readonly registered: string | undefined
  /** The same for health and diagnosis. */
  readonly registration: RegistrationHealth
  /** Registers the port; the first server counts, and its address where it is bound to one. */
  join(server: Server, port: number): void
  /** Begins to leave in this tick; resolves when callers may be expected to know. Idempotent, never rejects. */
  leave(): Promise<void>
}

/** A registry that refuses may know the user, or have its database back, a moment later. */
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
  let leaving: Promise<void> | undefined
  let failure: string | undefined
  let wake = () => {}

  async function enter(name: string, server: Server, port: number, how: NonNullable<typeof register>) {
    for (let pauseMs = FIRST_PAUSE_MS; leaving === undefined; pauseMs = Math.min(pauseMs * 2, MAX_PAUSE_MS)) {
      try {
        current = await how(name, server, port)
        registered = `${name} on port ${port}`
        failure = undefined
        return current
      } catch (error) {
        const { code, message } = error as { code?: string; message: string }
        // Settings that are wrong stay wrong.
        const isRefusal = code === 'LANEWAY_AUTH' || code === 'LANEWAY_NACOS_REFUSED'
        if (failure !== message) warn(`${name} could not be registered${isRefusal ? ', trying on' : ''}: ${message}`)
        failure = message
        if (!isRefusal || leaving !== undefined) return undefined
        await pause(pauseMs)
      }
    }
    return undefined
  }

  /** Ends early when the process leaves. */
  function pause(ms: number): Promise<void> {
    return new Promise(resolve => {
      wake = resolve
      setTimeout(resolve, ms).unref()
    })
  }

  async function leave(): Promise<void> {
    wake()
    try {
      // Without waiting where there is nothing to wait for: an app may end the process in this very tick.
      if (current !== undefined) await current.leave()
      else await (await registration)?.leave()
    } catch (error) {
      warn(`${service} could not be deregistered: ${(error as Error).message}`)
    }
    registered = undefined
  }

  function stateNow(): RegistrationHealth['state'] {
    if (service === undefined || register === undefined) return 'none'
    if (leaving !== undefined) return 'left'
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
    join(server, port) {
      if (leaving !== undefined || service === undefined || register === undefined) return
      registration ??= enter(service, server, port, register)
    },
    leave() {
      leaving ??= leave()
      return leaving
    },
  }
}
