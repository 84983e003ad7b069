import { LanewayError } from '@laneway/core'
import { describe } from '@laneway/core/internal'

/**
 * Whose messages may say a lane.
 *
 * - `internal`: all. Who may write to the broker is the broker's own decision.
 * - `edge`: none, for queues that partners or devices fill.
 * - a predicate on the message: `true` believes it. One that throws believes nothing.
 */
export type MessageTrust = 'internal' | 'edge' | ((message: any) => boolean)

/** @throws LanewayError `LANEWAY_INVALID_OPTION` */
export function resolveMessageTrust(where: string, trust: MessageTrust = 'internal'): (message: unknown) => boolean {
  if (trust === 'internal') return () => true
  if (trust === 'edge') return () => false
  if (typeof trust !== 'function') {
    throw new LanewayError(
      'LANEWAY_INVALID_OPTION',
      `${where}: trust is "internal", "edge" or a function, received ${describe(trust)}`,
    )
  }
  return message => {
    try {
      return trust(message) === true
    } catch {
      return false
    }
  }
}
