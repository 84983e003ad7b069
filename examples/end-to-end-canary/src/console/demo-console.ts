import { readFileSync } from 'node:fs'
import {
  kruiseReader,
  processesReader,
  type RunningConsole,
  rabbitmqReader,
  sendTraced,
  startConsole,
} from '@laneway/console'
import { createFileSource, createLaneResolver, type Source } from '@laneway/discovery'
import { createKubernetesSource } from '@laneway/kubernetes'
import { createNacosClient, createNacosSource } from '@laneway/nacos'
import { parseRules } from '@laneway/rules'
import type { Store } from '../cluster/store.js'
import type { Fleet } from '../fleet.js'
import type { Registry } from '../registry.js'
import { TRACE_TOKEN } from '../traced.js'

/** The console of a play. */
export interface DemoConsoleOptions {
  readonly registry: Registry
  readonly fleet: Fleet
  readonly store: Store
  /** The URL to which traced requests go. */
  readonly entrance: string
  /** The file of the entrance's rules. */
  readonly rules: string
  readonly port: number
}

/** Starts the console over what the play has: its registry, its pods, its Rollouts, its rules. */
export async function startDemoConsole(options: DemoConsoleOptions): Promise<RunningConsole> {
  const { registry, fleet, store, entrance, rules, port } = options
  const environment = registry.environment()
  const { source, end } = openSource(environment)
  const resolver = createLaneResolver({ sources: [source] })
  const management = environment['QUEUE_MANAGEMENT']
  const running = await startConsole({
    port,
    sources: [source],
    resolver,
    flows: processesReader({ urls: () => fleet.lanesUrls }),
    releases: kruiseReader({ list: kind => store.list(kind) }),
    messages: management === undefined ? [] : [rabbitmqReader({ url: management })],
    trace: { entrances: [entrance], send: (url, lines) => sendTraced(url, lines, TRACE_TOKEN) },
    decide: {
      name: 'those of the entrance at this moment',
      request(request) {
        const { decision, text } = parseRules(readFileSync(rules, 'utf8')).explain(request)
        const by = decision === undefined ? '' : `rule ${JSON.stringify(decision.rule)}`
        return { lane: decision?.lane?.header, by, lines: text.split('\n') }
      },
    },
  })
  return {
    url: running.url,
    async close() {
      await running.close()
      await resolver.close()
      await end()
    },
  }
}

function openSource({ NACOS, ENDPOINTS_FILE, KUBECONFIG }: Record<string, string>): {
  source: Source
  end: () => Promise<void>
} {
  const nothing = async () => {}
  if (ENDPOINTS_FILE !== undefined) return { source: createFileSource(ENDPOINTS_FILE), end: nothing }
  if (NACOS === undefined) {
    return { source: createKubernetesSource(KUBECONFIG === undefined ? {} : { kubeconfig: KUBECONFIG }), end: nothing }
  }
  const client = createNacosClient({ servers: NACOS })
  // New services show soon: it is one reader, not a fleet.
  return { source: createNacosSource(client, { listIntervalMs: 1000 }), end: () => client.close() }
}
