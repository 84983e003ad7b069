import type { Member } from './member.js'

/**
 * What is known about an address beyond its snapshot: requests in flight and connect failures. It outlives tables, so
 * that a registry push forgets neither.
 */
export class EndpointLoad {
  inFlight = 0
  /** Consecutive connect failures. */
  failures = 0
  ejected = false
  /** On the resolver's clock, milliseconds. */
  ejectedUntil = 0
  /** Ejections since the last success: the exponent of the back-off. */
  ejections = 0
  /** The member of the table in use, `undefined` once the address has left its service. */
  member: Member | undefined = undefined

  /** Forgets failures; requests in flight are still in flight. */
  forgive(): void {
    this.failures = 0
    this.ejections = 0
    this.ejected = false
    this.ejectedUntil = 0
  }
}
