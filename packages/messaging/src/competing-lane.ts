import type { Lane, Warn } from '@laneway/core'
import { emitLanewayWarning } from '@laneway/core/internal'

const warned = new Set<string>()

/**
 * Warns once per system that an instance of a lane consumes without isolation, and so takes messages of base from the
 * consumers of base. Says nothing for an instance of base.
 */
export function warnOfCompetingLane(
  system: string,
  destination: string,
  own: Lane | undefined,
  warn: Warn = emitLanewayWarning,
  fix = "give the consumer lanes: 'isolate', in instances of base and of lanes alike",
): void {
  if (own === undefined || warned.has(system)) return
  warned.add(system)
  warn(
    `${system}: this instance of lane ${own.header} consumes "${destination}" without isolation, so it also handles ` +
      `messages of base; ${fix}`,
  )
}

const shared = new Set<string>()

/** Warns once per destination or group that its consumers are not kept apart, though `LANEWAY_ISOLATE` names it. */
export function warnOfNoIsolation(system: string, destination: string, warn: Warn): void {
  const one = `${system} ${destination}`
  if (shared.has(one)) return
  shared.add(one)
  warn(
    `${system}: "${destination}" is not isolated, its messages only carry their lanes: LANEWAY_ISOLATE keeps lanes apart ` +
      'in RabbitMQ, BullMQ and kafkajs',
  )
}
