// Envoy's zone-aware routing as it is published, by itself and in its own terms, as an oracle for ours:
// https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/load_balancing/zone_aware
// and `calculateLocalityPercentages` with `regenerateLocalityRoutingStructures`. Envoy counts in ten-thousandths.

/** How many of 10,000 requests of a caller in `own` go to each zone. */
export function envoyZones(
  upstream: Readonly<Record<string, number>>,
  local: Readonly<Record<string, number>>,
  own: string,
): Record<string, number> {
  const zones = Object.keys(upstream)
  const upstreamTotal = zones.reduce((total, zone) => total + upstream[zone]!, 0)
  const localTotal = Object.values(local).reduce((total, count) => total + count, 0)
  const upstreamPercent = (zone: string) => (10_000 * (upstream[zone] ?? 0)) / upstreamTotal
  const localPercent = (zone: string) => (10_000 * (local[zone] ?? 0)) / localTotal
  const shares: Record<string, number> = Object.fromEntries(zones.map(zone => [zone, 0]))
  // No host in the own locality: the localities take requests by their hosts.
  if ((upstream[own] ?? 0) === 0) return Object.fromEntries(zones.map(zone => [zone, upstreamPercent(zone)]))
  // LocalityDirect
  if (upstreamPercent(own) >= localPercent(own)) return { ...shares, [own]: 10_000 }
  // LocalityResidual
  const toOwn = (10_000 * upstreamPercent(own)) / localPercent(own)
  shares[own] = toOwn
  const residual = (zone: string) => (zone === own ? 0 : Math.max(0, upstreamPercent(zone) - localPercent(zone)))
  const residualTotal = zones.reduce((total, zone) => total + residual(zone), 0)
  for (const zone of zones) shares[zone]! += ((10_000 - toOwn) * residual(zone)) / residualTotal
  return shares
}
