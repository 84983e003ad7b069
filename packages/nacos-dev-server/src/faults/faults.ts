import type { Dialect } from '../dialect.js'
import { type Host, parseInstance, type ServiceName, toHost } from '../naming/instance.js'
import type { NamingStore } from '../naming/naming-store.js'
import type { Pusher } from '../session/pusher.js'
import type { Session } from '../session/session.js'
import type { PortPair, Side } from '../transport/port-pair.js'
import { type FaultRules, type FaultScope, isHit } from './fault-rules.js'

/** Switches a fault off again. */
export type Undo = () => void

/** Everything that can be made to go wrong. Faults that last return an {@link Undo}; `clear` ends them all. */
export interface NacosFaults {
  /** Requests are served at once and answered `ms` milliseconds later. */
  delayAnswers(ms: number, scope?: FaultScope): Undo
  /** Pushes leave `ms` milliseconds later. */
  delayPushes(ms: number, scope?: FaultScope): Undo
  /** Requests are served and never answered; `types` are those of the requests. */
  dropAnswers(scope?: FaultScope): Undo
  /** Pushes get lost; `types` are those of the pushes, `SetupAckRequest` and `ClientDetectionRequest` included. */
  dropPushes(scope?: FaultScope): Undo
  /**
   * Requests are not served but answered with an error: 300 the server is starting, 301 the connection is unknown, 403 no
   * permission (in the answer's own type), 500 anything else.
   */
  failAnswers(error: { readonly errorCode: number; readonly message?: string }, scope?: FaultScope): Undo
  /**
   * The far side of a half-open connection: TCP stays up and takes bytes, and nothing is read, answered or pushed, HTTP/2
   * included. Without `connections` also for new ones. What was lost stays lost after the {@link Undo}.
   */
  halfOpen(scope?: Pick<FaultScope, 'connections'>): Undo
  /** Pushes a list with a `lastRefTime` of `olderByMs` (default 60000) ago to every subscriber, at once. */
  pushStale(service: string, options?: StalePush): void
  /** Asks clients to move to another server: `host:port`. Those that stay are served on. */
  moveClients(address: string, scope?: Pick<FaultScope, 'connections'>): void
  /** Ends the streams with status 0 and keeps the connections: registered, healthy, and no push ever comes. */
  endStreams(scope?: Pick<FaultScope, 'connections'>): void
  /**
   * Gives connections up as after silence: their instances go, their streams end and a GOAWAY follows; TCP ends when the
   * last stream has. With `goAway: false` TCP stays up, and requests get 301.
   */
  expel(scope?: Pick<FaultScope, 'connections'> & { readonly goAway?: boolean }): void
  /** Ends connections with a TCP reset. */
  resetConnections(scope?: Pick<FaultScope, 'connections'>): void
  /** Every token given so far is refused from now on. */
  expireTokens(): void
  /** Logins are answered with this HTTP status, by default 500. */
  failLogins(status?: number): Undo
  /** New connections are refused, by default on both ports; open ones live on. `accept` or `clear` ends it. */
  refuse(sides?: readonly Side[]): void
  /** Resolves when both ports take connections again. */
  accept(): Promise<void>
  /**
   * Ends every connection, is away for `downMs` (default 0) and listens again on the same ports. Ephemeral instances and
   * subscriptions go with their connections; `keep: true` keeps what a real server stores: configs, persistent instances
   * and an operator's edits.
   */
  restart(options?: { readonly keep?: boolean; readonly downMs?: number }): Promise<void>
  /** Ends every lasting fault. */
  clear(): Promise<void>
}

/** What a stale push carries. */
export interface StalePush {
  readonly group?: string
  readonly namespace?: string
  readonly olderByMs?: number
  /** Instances in the fields of the protocol, at least ip and port; by default none. */
  readonly hosts?: readonly object[]
}

interface FaultParts {
  readonly dialect: Dialect
  readonly rules: FaultRules
  readonly sessions: () => readonly Session[]
  readonly naming: NamingStore
  readonly pusher: Pusher
  readonly ports: PortPair
  readonly expel: (session: Session, goAway: boolean) => void
  readonly halfOpen: { all: number; thaw: (session: Session) => void }
  readonly login: { status: number | undefined }
  readonly expireTokens: () => void
  readonly clearStores: () => void
}

export function createFaults(parts: FaultParts): NacosFaults {
  const { dialect, rules, sessions, naming, pusher, ports, halfOpen, login } = parts
  const lasting = new Set<Undo>()
  const last = (end: Undo): Undo => {
    const undo = (): void => {
      if (lasting.delete(undo)) end()
    }
    lasting.add(undo)
    return undo
  }
  const hit = (scope: FaultScope | undefined): readonly Session[] =>
    sessions().filter(session => isHit({ ...scope }, session))

  return {
    delayAnswers: (ms, scope) => last(rules.add({ kind: 'delay-answer', ms }, scope)),
    delayPushes: (ms, scope) => last(rules.add({ kind: 'delay-push', ms }, scope)),
    dropAnswers: scope => last(rules.add({ kind: 'drop-answer' }, scope)),
    dropPushes: scope => last(rules.add({ kind: 'drop-push' }, scope)),
    failAnswers: ({ errorCode, message }, scope) =>
      last(rules.add({ kind: 'fail-answer', errorCode, message: message ?? textOf(errorCode, dialect) }, scope)),
    halfOpen: scope => {
      const isAll = scope?.connections === undefined
      if (isAll) halfOpen.all++
      const frozen = new Set(hit(scope))
      for (const session of frozen) session.setFrozen(true)
      return last(() => {
        if (isAll) halfOpen.all--
        for (const session of isAll ? sessions() : frozen) halfOpen.thaw(session)
      })
    },
    pushStale: (service, { group = 'DEFAULT_GROUP', namespace = 'public', olderByMs = 60_000, hosts = [] } = {}) => {
      const name: ServiceName = { namespace, group, service }
      const info = naming.serviceInfo(name)
      const stale: readonly Host[] = hosts.map(host => toHost(parseInstance(host, name, dialect, true), name))
      const serviceInfo = { ...info, hosts: stale, lastRefTime: info.lastRefTime - olderByMs }
      for (const session of sessions()) {
        if (!naming.subscribersOf(name).includes(session.id)) continue
        void pusher.push(session, 'NotifySubscriberRequest', { serviceInfo, module: 'naming' })
      }
    },
    moveClients: (address, scope) => {
      const colon = address.lastIndexOf(':')
      for (const session of hit(scope)) {
        void pusher.push(session, 'ConnectResetRequest', {
          serverIp: address.slice(0, colon),
          // A string on the wire.
          serverPort: address.slice(colon + 1),
          ...(dialect.resetNamesConnection && { connectionId: session.id }),
          module: 'internal',
        })
      }
    },
    endStreams: scope => {
      for (const session of hit(scope)) {
        session.streaming = false
        session.stream?.end()
      }
    },
    expel: scope => {
      for (const session of hit(scope)) parts.expel(session, scope?.goAway ?? true)
    },
    resetConnections: scope => {
      for (const session of hit(scope)) session.socket.resetAndDestroy()
    },
    expireTokens: parts.expireTokens,
    failLogins: (status = 500) => {
      login.status = status
      return last(() => {
        login.status = undefined
      })
    },
    refuse: sides => ports.refuse(sides),
    accept: () => ports.accept(),
    restart: async ({ keep = false, downMs = 0 } = {}) => {
      ports.refuse()
      await ports.disconnect()
      if (!keep) parts.clearStores()
      if (downMs > 0) await new Promise(resolve => setTimeout(resolve, downMs))
      await ports.accept()
    },
    clear: async () => {
      for (const undo of [...lasting]) undo()
      rules.clear()
      await ports.accept()
    },
  }
}

function textOf(errorCode: number, dialect: Dialect): string {
  if (errorCode === 300) return 'Server is starting,please try later.'
  if (errorCode === 301) return 'Connection is unregistered.'
  if (errorCode === 403) return dialect.refusals.expired
  return 'a fault was switched on'
}
