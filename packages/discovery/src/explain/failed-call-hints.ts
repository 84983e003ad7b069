import type { Warn } from '@laneway/core/internal'
import type { ServiceRegistry } from '../service/service-registry.js'
import { type FailedCall, watchFailedCalls } from './failed-calls.js'
import { missingHint } from './refusal.js'

/** Hosts that are warned about; names come from the network. */
const MAX_HOSTS = 100
const MOST_PORTS = 8

/**
 * Explains, once per host, why a call to a service failed in DNS: its client was given no agent or dispatcher of Laneway, the
 * URL has a port that the service does not have, or no source knows such a service.
 *
 * @param sources - the sources, and where each of them reads
 * @returns ends the watch
 */
export function hintAtFailedCalls(services: ServiceRegistry, sources: string, warn: Warn): () => void {
  const hinted = new Set<string>()
  return watchFailedCalls(call => {
    const host = call.port === undefined ? call.hostname : `${call.hostname}:${call.port}`
    if (hinted.has(host) || hinted.size >= MAX_HOSTS) return
    const hint = hintOf(host, call, services, sources)
    if (hint === undefined) return
    hinted.add(host)
    try {
      warn(hint)
    } catch {
      // Called by the channel of a request, which must not fail because of a hint.
    }
  })
}

function hintOf(host: string, call: FailedCall, services: ServiceRegistry, sources: string): string | undefined {
  const facts = services.factsOf(call.hostname)
  if (facts === undefined) return undefined
  const { entry } = facts
  const table = entry?.table
  if (entry !== undefined && table !== undefined && table.members.length > 0) {
    // A service whose instances have its own name for an address.
    if (table.members.some(({ endpoint }) => endpoint.host === call.hostname.toLowerCase())) return undefined
    if (call.port !== undefined && call.port !== 80 && call.port !== 443 && !table.ports.has(call.port)) {
      return (
        `${host} cannot be reached, and Laneway left it to DNS: the instances of ${entry.name} have the ports ` +
        `${portsText(table.ports)}. Leave the port out of the URL, or use one of theirs`
      )
    }
    if (!call.unknownName) return undefined
    return (
      `${host} is not in DNS, but ${entry.name} is a service (${sources}): this call did not go through Laneway. Give its ` +
      'client a LaneAgent (axios, got, http), composeLane() or createLaneFetch() (undici, fetch), or start the process with ' +
      '--import @laneway/register'
    )
  }
  if (!call.unknownName || !facts.absent) return undefined
  return `${host} is not in DNS, and no instance of it is registered (${sources}); ${missingHint(services.similar(facts.name))}`
}

function portsText(ports: ReadonlySet<number>): string {
  const named = [...ports].slice(0, MOST_PORTS).join(', ')
  return ports.size > MOST_PORTS ? `${named} and ${ports.size - MOST_PORTS} more` : named
}
