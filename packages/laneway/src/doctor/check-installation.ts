import type { RegisterConfig } from '@laneway/register/settings'
import { type CheckResult, error, warning } from './finding.js'
import { type Application, type InstalledPackage, locate } from './packages-of.js'

/** The oldest Node that is supported; `engines` says the same. */
const OLDEST = [20, 19] as const

export function checkNode(version: string): CheckResult {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number)
  const facts = [version]
  if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return { facts }
  const problem = `this is Node ${version}, and Laneway needs ${OLDEST.join('.')} or newer`
  return { facts, findings: [error(problem, 'upgrade Node')] }
}

/** Packages that settings need, by the setting. */
function neededBy(config: RegisterConfig): [name: string, setting: string][] {
  const needed: [string, string, boolean][] = [
    ['@laneway/nacos', 'LANEWAY_NACOS', config.nacos.length > 0],
    ['@laneway/kubernetes', 'LANEWAY_KUBERNETES', config.kubernetes],
    ['@laneway/rules', 'LANEWAY_RULES', config.rules !== undefined],
    ['@laneway/otel', 'LANEWAY_OTEL', config.otel],
    ['@opentelemetry/api', 'LANEWAY_OTEL', config.otel],
  ]
  return needed.filter(([, , wanted]) => wanted).map(([name, setting]) => [name, setting])
}

/** @param own - settings of this folder; registries of the command line need nothing here */
export function checkPackages(
  folder: string,
  app: Application | undefined,
  own: RegisterConfig | undefined,
): CheckResult {
  if (app === undefined) {
    return {
      findings: [error(`there is no package.json in ${folder} or above`, "run this in the application's folder")],
    }
  }
  const findings: NonNullable<CheckResult['findings']>[number][] = []
  const ours = app.packages.filter(({ name }) => name.startsWith('@laneway/'))
  if (own !== undefined) {
    for (const [name, setting] of neededBy(own)) {
      if (locate(folder, name) === undefined) {
        findings.push(error(`${setting} is set and ${name} is not installed`, `npm install ${name}`))
      }
    }
  }
  for (const [name, copies] of several(ours)) {
    findings.push(
      warning(
        `${name} is installed in ${copies.length} copies: ${copies.map(({ version, folder: at }) => `${version} in ${at}`).join(', ')}`,
        'give all packages one range of @laneway versions, then npm dedupe',
      ),
    )
  }
  const versions = new Set(
    ours.filter(({ name }) => copiesOf(ours, name) === 1).map(({ version }) => seriesOf(version)),
  )
  if (versions.size > 1) {
    const list = ours.map(({ name, version }) => `${name} ${version}`).join(', ')
    findings.push(
      warning(`the @laneway packages are of different series: ${list}`, 'npm install all of them in the newest one'),
    )
  }
  const facts = ours.map(({ name, version }) => `${name} ${version}`).sort()
  return { facts: facts.length === 0 ? ['no @laneway package among the dependencies'] : facts, findings }
}

function several(packages: readonly InstalledPackage[]): [string, InstalledPackage[]][] {
  const byName = new Map<string, InstalledPackage[]>()
  for (const one of packages) byName.set(one.name, [...(byName.get(one.name) ?? []), one])
  return [...byName].filter(([, copies]) => copies.length > 1)
}

function copiesOf(packages: readonly InstalledPackage[], name: string): number {
  return packages.filter(one => one.name === name).length
}

/** What semver lets go together: 0.1 and 0.2 do not. */
function seriesOf(version: string): string {
  const [major = '0', minor = '0'] = version.split('.')
  return major === '0' ? `0.${minor}` : major
}

/** The first undici with interceptors, without which Laneway can do nothing to it. */
const OLDEST_UNDICI = [6, 8] as const

export function checkUndici(app: Application | undefined): CheckResult {
  const copies = app?.packages.filter(({ name }) => name === 'undici') ?? []
  const facts = [
    `built in ${process.versions['undici'] ?? 'none'}`,
    ...copies.map(({ version, folder }) => `${version} in ${folder}`),
  ]
  const old = copies.filter(({ version }) => {
    const [major = 0, minor = 0] = version.split('.').map(Number)
    return major < OLDEST_UNDICI[0] || (major === OLDEST_UNDICI[0] && minor < OLDEST_UNDICI[1])
  })
  const findings = old.map(({ version, folder }) =>
    error(
      `undici ${version} in ${folder} has no interceptors: its requests carry no tag and are not routed`,
      'upgrade it to undici 7, or upgrade the package that brings it (npm explain undici)',
    ),
  )
  return { facts, findings }
}
