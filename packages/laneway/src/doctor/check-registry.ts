import { connect } from 'node:net'
import { networkInterfaces } from 'node:os'
import { ownLane, type Warn } from '@laneway/core'
import { nearest } from '@laneway/core/internal'
import type { RegistryView } from '@laneway/discovery/internal'
import type { Discovery, RegisterConfig } from '@laneway/register/settings'
import { isLanewayError } from '../laneway-error.js'
import { plainRows } from '../registry/plain-rows.js'
import { type CheckName, type CheckResult, error, warning } from './finding.js'

type Results = Partial<Record<CheckName, CheckResult>>

/** Where a registry that cannot be reached is to be looked for. */
export function checkConnection({ sources }: Discovery, view: RegistryView): CheckResult {
  const facts = sources.map(({ name, where }) => (where === undefined ? name : `${name} ${where}`))
  const refused = [...view.services.values()].map(({ error: cause }) => cause).find(isRefusal)
  const lost = view.lost.map(({ source, error: cause }) => ({ name: nameOf(source), cause }))
  if (refused !== undefined && lost.every(({ cause }) => !isRefusal(cause)))
    lost.unshift({ name: facts[0] ?? '', cause: refused })
  const findings = lost.map(({ name, cause }) => {
    const words = cause === undefined ? 'no answer in time' : wordsOf(cause)
    if (isRefusal(cause)) return error(`${name} refuses the login: ${words}`, LOGIN)
    if (name.startsWith('file'))
      return error(`${name} cannot be used: ${words}`, 'mend the file; LANEWAY_ENDPOINTS_FILE names it')
    return error(`${name} cannot be reached: ${words}`, name.startsWith('nacos') ? NACOS : KUBERNETES)
  })
  return { facts, findings }
}

const LOGIN =
  'look at LANEWAY_NACOS_USERNAME and LANEWAY_NACOS_PASSWORD (or LANEWAY_NACOS_PASSWORD_FILE), or ask for the right'
const NACOS =
  'LANEWAY_NACOS is host and main port, such as nacos:8848; gRPC is 1000 above it, and both must be reachable from here'
const KUBERNETES = 'look at KUBECONFIG or the service account; kubectl get endpointslices must work from here'

function isRefusal(cause: Error | undefined): boolean {
  return (cause as { code?: string } | undefined)?.code === 'LANEWAY_AUTH'
}

const wordsOf = (cause: Error) => (isLanewayError(cause) ? cause.text : cause.message).replace(/\s+/g, ' ')
const nameOf = ({ name, where }: { name: string; where?: string }) => (where === undefined ? name : `${name} ${where}`)

/** What the registry has: declared services, lanes, the own registration. */
export function checkServices(config: RegisterConfig, view: RegistryView): Results {
  const rows = plainRows(view.services.values(), Date.now()).filter(
    ({ instances, lane }) => instances > 0 || lane === 'base',
  )
  const findings: NonNullable<CheckResult['findings']>[number][] = []
  const withInstances = new Set(rows.filter(({ instances }) => instances > 0).map(({ service }) => service))
  const names = [...withInstances]
  for (const service of config.services) {
    if (withInstances.has(service)) continue
    const near = nearest(service, names)
    const hint = near === undefined ? `there are ${names.sort().join(', ') || 'no services'}` : `did you mean ${near}?`
    findings.push(
      error(
        `the registry has no instance of ${service}, which LANEWAY_SERVICES names; ${hint}`,
        'look at the spelling, at LANEWAY_NACOS_NAMESPACE and LANEWAY_NACOS_GROUP, and whether the service is running',
      ),
    )
  }
  const place = placeOf(config)
  if (withInstances.size === 0 && config.services.length === 0 && place !== undefined) {
    findings.push(
      warning(
        `the registry has no instance of any service in ${place}`,
        'look at the spelling of that place, and whether the services there are running',
      ),
    )
  }
  for (const service of withInstances) {
    const own = rows.filter(row => row.service === service)
    const base = own.find(({ lane }) => lane === 'base')
    const lanes = own.filter(({ lane }) => lane !== 'base').map(({ lane }) => lane)
    if (base !== undefined && base.instances === 0) {
      findings.push(
        warning(
          `${service} has no base instance, only ${lanes.join(', ')}: requests without lane fail`,
          'start an instance without LANEWAY_TAG, or take the tag from one; LANEWAY_BASE_EMPTY=any sends them into a lane instead',
        ),
      )
    }
    for (const { lane, instances, healthy, weight } of own) {
      if (instances === 0 || healthy > 0) continue
      const why = weight === 0 ? 'all of weight 0 or disabled' : 'none is healthy'
      findings.push(
        warning(
          `${service} has ${instances} ${lane} instance(s) and none is usable: ${why}`,
          'enable one, give it a weight, or mend its health check',
        ),
      )
    }
  }
  const facts = names.sort().map(service => {
    const own = rows.filter(row => row.service === service && row.instances > 0)
    return `${service}: ${own.map(({ lane, healthy, instances }) => `${lane} ${healthy}/${instances}`).join(', ')}`
  })
  return {
    services: { facts: facts.length === 0 ? ['none'] : facts, findings },
    registration: checkRegistration(config, view),
  }
}

/** Where the settings say that services are; `undefined` for the default place, which may be empty before the first start. */
function placeOf({ nacosNamespace, nacosGroup, kubernetesNamespace }: RegisterConfig): string | undefined {
  const words = [
    nacosNamespace === undefined ? [] : [`namespace ${nacosNamespace} (LANEWAY_NACOS_NAMESPACE)`],
    nacosGroup === undefined ? [] : [`group ${nacosGroup} (LANEWAY_NACOS_GROUP)`],
    kubernetesNamespace === undefined ? [] : [`namespace ${kubernetesNamespace} (LANEWAY_KUBERNETES_NAMESPACE)`],
  ].flat()
  return words.length === 0 ? undefined : words.join(', ')
}

/** Whether a program of this machine listens on the port where this service is to be, and the registry does not know it. */
export async function checkPort({ service, port, nacos }: RegisterConfig, view: RegistryView): Promise<CheckResult> {
  if (service === undefined || port === undefined || nacos.length === 0) return {}
  const endpoints = view.services.get(service)?.endpoints ?? []
  if (endpoints.some(one => HERE.has(one.host) && one.port === port) || !(await isTaken(port))) return {}
  return {
    findings: [
      warning(
        `a program listens on port ${port} here (LANEWAY_PORT), and no instance of ${service} is registered with it`,
        `end that program if it is another one; if it is ${service}, look at what it says of its registration`,
      ),
    ],
  }
}

function isTaken(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect({ port, host: '127.0.0.1', timeout: 1000 })
    const end = (taken: boolean) => {
      socket.destroy()
      resolve(taken)
    }
    socket.once('connect', () => end(true))
    socket.once('error', () => end(false))
    socket.once('timeout', () => end(false))
  })
}

function checkRegistration(config: RegisterConfig, view: RegistryView): CheckResult {
  const { service, port, nacos } = config
  if (service === undefined) return { facts: ['none: LANEWAY_SERVICE is not set'] }
  if (nacos.length === 0) {
    return {
      findings: [
        warning(
          `LANEWAY_SERVICE is ${service} and no registry is configured that takes registrations`,
          'set LANEWAY_NACOS; in Kubernetes, unset LANEWAY_SERVICE, since pods register by themselves',
        ),
      ],
    }
  }
  const lane = ownLane({ tag: config.tag, warn() {} })?.header ?? 'base'
  const endpoints = view.services.get(service)?.endpoints ?? []
  const mine = endpoints.filter(one => HERE.has(one.host) && (port === undefined || one.port === port))
  const ports = mine.map(({ host, port: at, tags = [] }) => `${host}:${at} (${tags.join(' ') || 'base'})`)
  const facts = [`${service}, ${lane}: ${ports.join(', ') || 'no instance of this machine now'}`]
  if (port === undefined) return { facts }
  const other = mine.find(({ tags = [] }) => (tags.length === 0 ? 'base' : tags[0]) !== lane)
  if (other === undefined) return { facts }
  const seen = other.tags?.join(' ') || 'base'
  return {
    facts,
    findings: [
      error(
        `${service} at ${other.host}:${other.port} is registered as ${seen}, and this environment says ${lane}`,
        'start it again with this environment; the lane is registered when a process starts',
      ),
    ],
  }
}

/** Addresses of this machine. */
const HERE = new Set(Object.values(networkInterfaces()).flatMap(list => list?.map(({ address }) => address) ?? []))

/** A warning of the resolver. */
export type Warning = Parameters<Warn>

/** What the resolver says about metadata that was probably meant to be a lane, and about endpoints that are not usable. */
export function checkMetadata(warnings: readonly Warning[]): CheckResult {
  const findings = warnings.flatMap(([message, facts]) => {
    if (facts?.kind === 'metadata-key') {
      return [warning(message, `register it with ${facts.meant} in the place of ${facts.key}`)]
    }
    if (facts?.kind === 'endpoints-dropped') {
      return [warning(message, 'mend the registration of that instance: address, port, weight and tag are checked')]
    }
    return []
  })
  return { findings }
}
