import { channels, type Lane } from '@laneway/core'
import type { HandledHost, ServiceHandle } from '@laneway/core/internal'
import type { Choice } from '../table/choice.js'
import type { ServiceEntry } from './service-entry.js'

const decisions = channels.decision

/** What a handle needs of its resolver. */
export interface HandleParts {
  readonly names: { readonly version: number }
  /** The service that a host names, whether or not a port goes with it. */
  find(hostname: string): ServiceEntry | undefined
  /** The service that a pick by this name chooses from. */
  named(service: string): ServiceEntry | undefined
  match(host: HandledHost): string | undefined
  pick(service: string, lane: Lane | undefined, tried: ReadonlySet<string> | undefined): Choice
}

/**
 * Remembers the entry of a host until a name changes. Everything else is read from the entry at each use: its table, its
 * ejections, its settings.
 *
 * Half of a pick was the look-up of its service, and as much again that of its host (benchmark case discovery/handle).
 */
export class EntryHandle implements ServiceHandle<Choice> {
  private entry: ServiceEntry | undefined
  private version = -1
  private readonly anyPort: boolean
  private readonly names: { readonly version: number }

  constructor(
    private readonly parts: HandleParts,
    private readonly host: HandledHost,
  ) {
    this.names = parts.names
    this.anyPort = host.port === undefined || host.port === (host.secure ? 443 : 80)
  }

  match(): string | undefined {
    if (this.version !== this.names.version) this.look()
    const { entry } = this
    const table = entry?.table
    // What waits for an answer, and what may be no service, is decided where the names are.
    if (entry === undefined || table === undefined || (entry.asked && !entry.found)) return this.parts.match(this.host)
    return this.anyPort || table.ports.has(this.host.port!) ? entry.name : undefined
  }

  pick(service: string, lane: Lane | undefined, tried?: ReadonlySet<string>): Choice {
    const { entry } = this
    if (
      entry === undefined ||
      entry.name !== service ||
      this.version !== this.names.version ||
      decisions.hasSubscribers
    )
      return this.parts.pick(service, lane, tried)
    return entry.pick(lane, tried)
  }

  private look(): void {
    const { parts, names } = this
    const entry = parts.find(this.host.hostname)
    this.entry = entry !== undefined && parts.named(entry.name) === entry ? entry : undefined
    this.version = names.version
  }
}
