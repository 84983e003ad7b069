/** Requests that a Nacos 3 has answered, by their class; `pushes` are the lists that it has sent. */
export async function readCounters(http: string): Promise<Map<string, number>> {
  const text = await (await fetch(`http://${http}/nacos/actuator/prometheus`)).text()
  const counts = new Map<string, number>()
  const add = (name: string, count: string) => counts.set(name, (counts.get(name) ?? 0) + Number(count))
  for (const line of text.split('\n')) {
    const request = /^grpc_server_requests_seconds_count\{.*requestClass="(\w+)".*\} ([\d.E]+)$/.exec(line)
    if (request !== null) add(request[1] === 'HealthCheckRequest' ? 'health' : request[1]!, request[2]!)
    const pushes = /^nacos_monitor\{.*name="totalPush".*\} ([\d.E]+)$/.exec(line)
    if (pushes !== null) add('pushes', pushes[1]!)
  }
  return counts
}

/** What was counted between two readings, without what did not change. */
export function difference(from: ReadonlyMap<string, number>, to: ReadonlyMap<string, number>): Record<string, number> {
  const counts = [...to].map(([name, count]) => [name, count - (from.get(name) ?? 0)] as const)
  return Object.fromEntries(counts.filter(([, count]) => count !== 0))
}
