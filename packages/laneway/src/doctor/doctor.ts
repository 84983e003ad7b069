import { ownLane } from '@laneway/core'
import { RegistryView } from '@laneway/discovery/internal'
import { type RegisterConfig, readConfig } from '@laneway/register/settings'
import { isLanewayError } from '../laneway-error.js'
import { hasRegistry, openRegistries, readSettings, type SourceOptions } from '../registry/settings.js'
import type { CommandWorld } from '../terminal/world.js'
import { checkControl } from './check-control.js'
import { checkNode, checkPackages, checkUndici } from './check-installation.js'
import { checkConnection, checkMetadata, checkPort, checkServices, type Warning } from './check-registry.js'
import { checkRules } from './check-rules.js'
import { checkPreload, checkTelemetry, checkTrust, startsOf } from './check-start.js'
import { CHECKS, type CheckName, type CheckResult, error, type Finding } from './finding.js'
import { applicationOf } from './packages-of.js'

/** What `laneway doctor` reports. */
export interface DoctorReport {
  readonly ok: boolean
  /** The most likely cause of trouble first. */
  readonly findings: readonly Finding[]
  /** What each check saw; one that could not be made has none. */
  readonly facts: Readonly<Partial<Record<CheckName, readonly string[]>>>
}

export interface DoctorOptions extends SourceOptions {
  readonly json?: boolean
  /** For the registry, in ms. */
  readonly timeout: number
}

/** Checks folder and environment as register would see them, causes before effects. Starts and registers nothing. */
export async function runDoctor(
  world: CommandWorld,
  options: DoctorOptions,
  version = process.version,
): Promise<DoctorReport> {
  const results: Partial<Record<CheckName, CheckResult>> = { node: checkNode(version) }
  const app = applicationOf(world.folder)
  const { config, ...settings } = checkSettings(world, options)
  results.settings = settings
  const own = config === undefined ? undefined : readConfig(world.env, world.folder)
  results.packages = checkPackages(world.folder, app, own)
  results.undici = checkUndici(app)
  const starts = startsOf(app, world.env)
  results.preload = checkPreload(world.folder, starts)
  if (config !== undefined) {
    results.opentelemetry = checkTelemetry(app, starts, config)
    results.rules = await checkRules(config, world.folder)
    results.control = checkControl(config, world.folder)
    results.trust = checkTrust(config)
    // What a process there cannot load it cannot ask either.
    const isMissing = results.packages.findings?.some(({ level }) => level === 'error') === true
    if (!isMissing) Object.assign(results, await checkRegistries(config, options.timeout, world.signal))
  }
  return reportOf(results)
}

function checkSettings(world: CommandWorld, options: SourceOptions): CheckResult & { config?: RegisterConfig } {
  try {
    const config = readSettings(world, options)
    const lane = ownLane({ tag: config.tag, env: world.env, warn() {} })?.header ?? 'base'
    return { config, facts: [config.file ?? 'environment only', `own lane ${lane}`] }
  } catch (cause) {
    if (!isLanewayError(cause)) throw cause
    const { text, suggestion } = cause
    const fix =
      suggestion === undefined
        ? 'mend this setting; a process under @laneway/register refuses to start with it'
        : `write ${suggestion}`
    return { findings: [error(text, fix)] }
  }
}

async function checkRegistries(
  config: RegisterConfig,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Partial<Record<CheckName, CheckResult>>> {
  if (!hasRegistry(config))
    return { registry: { facts: ['none is configured: the tag is carried, and nothing is routed'] } }
  const warnings: Warning[] = []
  let discovery: ReturnType<typeof openRegistries>
  try {
    discovery = openRegistries(config, (...warning) => void warnings.push(warning))
  } catch (cause) {
    if (!isLanewayError(cause)) throw cause
    return { registry: { findings: [error(cause.text, 'mend this setting')] } }
  }
  const view = new RegistryView(discovery.sources)
  try {
    view.followAll()
    // At least one subscription: a list may be allowed where a login is not.
    for (const source of discovery.sources) view.follow(config.service ?? config.services[0] ?? PROBE, source)
    await view.settled(timeoutMs, signal)
    const registry = checkConnection(discovery, view)
    view.services.delete(PROBE)
    if (hasFindings(registry)) return { registry }
    // The resolver warns of metadata when it takes the lists over.
    await Promise.all([...view.services.keys()].map(service => discovery.resolver?.ready(service).catch(() => {})))
    return {
      registry,
      ...checkServices(config, view),
      port: await checkPort(config, view),
      metadata: checkMetadata(warnings),
    }
  } finally {
    view.close()
    await discovery.resolver?.close()
  }
}

/** A service name that does not exist, for a registry of which nothing is known. */
const PROBE = 'laneway-doctor'

function hasFindings({ findings = [] }: CheckResult): boolean {
  return findings.length > 0
}

function reportOf(results: Partial<Record<CheckName, CheckResult>>): DoctorReport {
  const all = CHECKS.flatMap(check => (results[check]?.findings ?? []).map(finding => ({ ...finding, check })))
  const findings = [...all.filter(({ level }) => level === 'error'), ...all.filter(({ level }) => level === 'warning')]
  const facts: Partial<Record<CheckName, readonly string[]>> = {}
  for (const check of CHECKS) {
    const seen = results[check]?.facts
    if (seen !== undefined) facts[check] = seen
  }
  return { ok: findings.length === 0, findings, facts }
}
